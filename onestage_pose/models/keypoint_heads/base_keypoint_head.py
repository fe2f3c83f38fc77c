# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor, nn

from ...codecs.decoders import position_covariance
from ...structures import (
    KeypointOutput,
    continuous_to_pixel_index,
    pixel_index_to_continuous,
)
from ...utils.errors import ConfigValueError
from ..layers.global_context_module import INIT_CFG
from ..utils.together import each_image

CODEC = dict(type='RoIHeatmap')
LOSS_KEYPOINT = dict(type='CrossEntropyLoss', loss_weight=1.0)
LOSS_VISIBILITY = dict(type='KnownBCELoss', loss_weight=1.0)


class BaseKeypointHead(BaseModule):
    """RoI features to keypoints: a trunk, a transposed conv, bilinear x2, a codec.

    A subclass sets ``self.trunk``, whose output has ``channels`` channels and the
    resolution of its input. A subclass with finer RoI features sets ``upscale``, the
    ratio of the heatmaps' size to theirs, and overrides :meth:`extract` and
    :meth:`predict_logits`.

    Keypoints outside this class are in COCO's pixel-index convention, inside in
    continuous coordinates, in which boxes always are; Detectron2 shifts by the same
    half pixel when it reads and writes annotations, torchvision does not. N is the
    number of instances, K of keypoints.

    Args:
        channels (int): Channels of the trunk's output.
        num_keypoints (int): Keypoints K of an instance.
        init_cfg (dict, optional): Initialisation. By default convolutions are
            Kaiming-normal (fan_out), biases 0, as in Detectron2, and norm weights
            uniform in [0, 1].
        codec (dict): Keypoint codec, from mmpose's ``KEYPOINT_CODECS``. By default
            :class:`RoIHeatmap`.
        loss_keypoint (dict): Classification loss over the bins, averaged over the
            labelled keypoints of the batch. By default mmdet's cross-entropy.
        continuous_keypoints (bool): Whether the head learns annotations as continuous
            coordinates, as torchvision's does. Predictions are then in the convention
            of the annotations, and the training pipeline must have
            :class:`KeypointsAsContinuous`.
        visibility_branch (dict, optional): :class:`VisibilityBranch`, which predicts
            whether each keypoint is present and visible. Default None: no branch.
        loss_visibility (dict): Loss of the visibility branch, :class:`KnownBCELoss`.

    Raises:
        ConfigValueError: The codec needs sigmas of OKS, and there are not K of them.
    """

    upscale = 4

    def __init__(
        self,
        channels: int,
        num_keypoints: int,
        init_cfg: dict | list | None = None,
        codec: dict = CODEC,
        loss_keypoint: dict = LOSS_KEYPOINT,
        continuous_keypoints: bool = False,
        visibility_branch: dict | None = None,
        loss_visibility: dict = LOSS_VISIBILITY,
    ) -> None:
        if init_cfg is None:
            init_cfg = INIT_CFG
        super().__init__(init_cfg=init_cfg)
        self.num_keypoints = num_keypoints
        self.continuous_keypoints = continuous_keypoints
        self.trunk: nn.Module
        self.deconv = nn.ConvTranspose2d(
            channels, num_keypoints, 4, stride=2, padding=1
        )
        self.codec = KEYPOINT_CODECS.build({'_scope_': 'mmpose', **codec})
        if codec.get('sigmas') is not None:
            self._check_sigmas()
        self.loss_keypoint = MODELS.build({'_scope_': 'mmdet', **loss_keypoint})
        self.visibility_branch = None
        if visibility_branch is not None:
            sizes = dict(in_channels=channels, num_keypoints=num_keypoints)
            self.visibility_branch = MODELS.build(
                {'type': 'VisibilityBranch', '_scope_': 'mmdet', **sizes}
                | dict(visibility_branch)
            )
            self.loss_visibility = MODELS.build({'_scope_': 'mmdet', **loss_visibility})

    def _check_sigmas(self) -> None:
        """Refuse what only the first evaluation would notice."""
        needs_sigmas = getattr(self.codec, 'needs_sigmas', False)
        if needs_sigmas and len(self.codec.sigmas) != self.num_keypoints:
            raise ConfigValueError(
                f'model.roi_head.codec.sigmas: needed for the {self.num_keypoints} '
                f"keypoints of the keypoint head, got {len(self.codec.sigmas)} (COCO's "
                '17 where no data set is known); decode_mode and score_mode '
                "'expected_oks' need them. They are those of the metainfo where "
                'default_hooks has the SkeletonCheckHook; else give them.'
            )

    def forward(self, x: Tensor) -> KeypointOutput:
        """Predict each instance's keypoint logits.

        Args:
            x (Tensor): RoI features (N, C, h, w), N may be 0.

        Returns:
            KeypointOutput: Logits (N, K, H, W), by default 4 h x 4 w, and
            ``visibility`` (N, K, 2) with a visibility branch.
        """
        branch = self.visibility_branch
        if len(x) == 0:
            # batch norm in training mode refuses an empty batch
            height, width = (self.upscale * size for size in x.shape[-2:])
            return KeypointOutput(
                x.new_zeros(0, self.num_keypoints, height, width),
                None if branch is None else x.new_zeros(0, self.num_keypoints, 2),
            )
        feats = self.extract(x)
        logits = self.predict_logits(x, feats)
        return KeypointOutput(logits, None if branch is None else branch(feats, logits))

    def extract(self, x: Tensor) -> Tensor:
        """Return the trunk's features (N, C', h, w) of the RoI features."""
        return self.trunk(x)

    def predict_logits(self, x: Tensor, feats: Tensor) -> Tensor:
        """Predict the heatmaps.

        Args:
            x (Tensor): RoI features (N, C, h, w), N above 0.
            feats (Tensor): The trunk's features of them, (N, C', h, w).

        Returns:
            Tensor: (N, K, 4 h, 4 w).
        """
        return F.interpolate(
            self.deconv(feats), scale_factor=2, mode='bilinear', align_corners=False
        )

    def get_targets(
        self,
        boxes: Tensor,
        keypoints: Tensor,
        keypoints_visible: Tensor,
        visibility_targets: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Encode the keypoints as training targets of the boxes.

        Args:
            boxes (Tensor): (N, 4) x1, y1, x2, y2 of the RoI features.
            keypoints (Tensor): (N, K, 2) in pixel-index convention.
            keypoints_visible (Tensor): (N, K), above 0 where labelled.
            visibility_targets (Tensor, optional): (N, K, 2), see
                ``onestage_pose.datasets.visibility.get_visibility_targets``; for
                a head with a visibility branch.

        Returns:
            dict[str, Tensor]: ``keypoint_labels`` (N, K) int64 and
            ``keypoint_weights`` (N, K) float32, above 0 where a keypoint counts; with a
            visibility branch ``visibility_targets`` (N, K, 2), -1 where not known.
        """
        points = pixel_index_to_continuous(keypoints)
        targets = self.codec.encode(points, keypoints_visible, boxes=boxes)
        if self.visibility_branch is not None:
            # what is in the image but not in the box cannot be told
            near, far = boxes[:, None, :2], boxes[:, None, 2:]
            inside = ((points >= near) & (points <= far)).all(-1)
            outside = (visibility_targets[..., 0] > 0) & ~inside
            targets['visibility_targets'] = torch.where(
                outside[..., None], -1, visibility_targets
            )
        return targets

    def loss_by_feat(
        self, output: KeypointOutput, targets: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Compute the loss of the head's output, in float32.

        Args:
            output (KeypointOutput): Of N instances.
            targets (dict[str, Tensor]): As :meth:`get_targets` returns them, with at
                least one labelled keypoint.

        Returns:
            dict[str, Tensor]: ``loss_keypoint``, and ``loss_visibility`` with a
            visibility branch.

        Raises:
            ValueError: The logits are not of the codec's size, or the codec needs
                sigmas of OKS and has none for these keypoints.
        """
        self.codec.check_size(output.logits)
        self._check_sigmas()
        counts = targets['keypoint_weights'] > 0
        loss = self.loss_keypoint(
            output.logits.flatten(2)[counts].float(), targets['keypoint_labels'][counts]
        )
        losses = dict(loss_keypoint=loss)
        if self.visibility_branch is not None:
            losses['loss_visibility'] = self.loss_visibility(
                output.visibility, targets['visibility_targets']
            )
        return losses

    def decode(self, output: KeypointOutput, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Decode the head's output.

        Args:
            output (KeypointOutput): Of N instances.
            boxes (Tensor): (N, 4) that the RoI features are of.

        Returns:
            tuple[Tensor, Tensor]: Keypoints (N, K, 2) in the frame of the boxes and in
            continuous coordinates, and their scores (N, K), both float32.
        """
        return self.codec.decode(output.logits, boxes)

    def predict_by_feat(
        self,
        output: KeypointOutput,
        boxes: list[Tensor],
        results_list: list[InstanceData],
        batch_img_metas: list[dict],
        rescale: bool = False,
    ) -> list[InstanceData]:
        """Decode the head's output and add it to the results of each image.

        Args:
            output (KeypointOutput): Output for the instances of all images, in order.
            boxes (list[Tensor]): (N_i, 4) boxes of the RoI features of each image, in
                the network input's frame.
            results_list (list[InstanceData]): Of each image.
            batch_img_metas (list[dict]): With ``scale_factor`` (w, h) of each image.
            rescale (bool): Whether the keypoints are in the original image's frame,
                otherwise in the network input's.

        Returns:
            list[InstanceData]: The same with ``keypoints`` (N_i, K, 2) in the
            convention of the annotations, ``keypoint_scores`` (N_i, K) and
            ``keypoint_logits`` (N_i, K, H, W); with a visibility branch
            ``keypoint_presence`` and ``keypoints_visible`` (N_i, K), see
            :meth:`predict_visibility`.
        """
        numbers = [len(each) for each in boxes]
        keypoints, scores = self.decode(output, torch.cat(boxes))
        if rescale:
            scales = [meta['scale_factor'] for meta in batch_img_metas]
            keypoints = keypoints / each_image(scales, numbers, keypoints)[:, None]
        if not self.continuous_keypoints:
            keypoints = continuous_to_pixel_index(keypoints)
        found = dict(
            keypoints=keypoints,
            keypoint_scores=scores,
            keypoint_logits=output.logits.float(),
        )
        if self.visibility_branch is not None:
            presence, visible = self.predict_visibility(output)
            found.update(keypoint_presence=presence, keypoints_visible=visible)
        for name, values in found.items():
            for result, value in zip(results_list, values.split(numbers)):
                result.set_field(value, name)
        return results_list

    def predict_visibility(self, output: KeypointOutput) -> tuple[Tensor, Tensor]:
        """Return the probabilities that the visibility branch predicts, calibrated.

        Args:
            output (KeypointOutput): Of N instances, with ``visibility``.

        Returns:
            tuple[Tensor, Tensor]: Presence (N, K), the probability that a keypoint is
            in the image and its position can be determined; and visibility (N, K), the
            probability that it is also visible, which is at most the presence.
        """
        presence, visible = self.visibility_branch.calibrate(output.visibility).unbind(
            -1
        )
        return presence, presence * visible

    def predict_covariances(
        self, logits: Tensor, boxes: Tensor, keypoints: Tensor
    ) -> Tensor:
        """Predict the uncertainty of the keypoints from the width of their heatmaps.

        Args:
            logits (Tensor): (N, K, H, W), as :meth:`predict_by_feat` returns them.
            boxes (Tensor): (N, 4) boxes of the RoI features, in any frame.
            keypoints (Tensor): (N, K, 2) in that frame, in the convention of the
                annotations.

        Returns:
            Tensor: (N, K, 2, 2) float32, in square pixels of that frame, about the
            keypoints; calibrated with a visibility branch.
        """
        if not self.continuous_keypoints:
            keypoints = pixel_index_to_continuous(keypoints)
        sizes = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6)
        position = (keypoints - boxes[:, None, :2]) / sizes[:, None]
        found = position_covariance(logits.float(), sizes.float(), position.float())
        branch = self.visibility_branch
        return found if branch is None else found * branch.covariance_scale
