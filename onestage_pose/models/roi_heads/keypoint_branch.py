# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from mmcv.ops import batched_nms
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_flip
from mmengine.structures import InstanceData
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor, nn

from ...codecs import RoIHeatmap
from ...codecs.decoders import PERSON_AREA_RATIO
from ...structures import KeypointOutput, pixel_index_to_continuous
from ...structures.metainfo import load_sigmas
from ...utils.arguments import NonNegativeFloat, check_arguments
from ...utils.errors import ConfigValueError
from ..test_time_augs import average_flipped, mirror_boxes
from ..utils.incomplete_annotations import jitter_boxes, zero_loss
from ..utils.own_keypoints import clear_other_keypoints
from ..utils.together import each_image, is_plain_nms, to_rois
from .box_detection import merge_together


class KeypointBranchMixin:
    """A keypoint branch for any RoI head of mmdet.

    It works as mmdet's mask branch does: it uses the positives of the box branch in
    training and the detections in testing.

    It selects the boxes and pools their features; the keypoint head owns the codec and
    the loss.

    Args:
        keypoint_roi_extractor (dict): RoI extractor; its ``featmap_strides``
            choose the levels, ``[4]`` being P2 alone.
        keypoint_head (dict): Keypoint head.
        codec (dict, optional): The former place of ``keypoint_head.codec``; both are
            read. Where it is a :class:`RoIHeatmap`, ``area_ratio`` is 0.53 over
            ``box_scale`` squared by default.
        loss_keypoint (dict, optional): The former place of
            ``keypoint_head.loss_keypoint``; both are read.
        box_scale (float): Factor by which the branch enlarges each box about its
            centre; 1.3 in arXiv 2301.04842. The enlarged box is not clipped to the
            image.
        box_jitter (float): In images that train the keypoint branch alone, largest
            distance of a proposal's sides from the annotated ones, as a fraction of the
            box.
        **kwargs: Arguments of the RoI head.

    Raises:
        ConfigValueError: ``box_scale`` is not positive, or an option of the codec or
            the loss differs between both places.
    """

    @check_arguments
    def __init__(
        self,
        *,
        keypoint_roi_extractor: dict,
        keypoint_head: dict,
        codec: dict | None = None,
        loss_keypoint: dict | None = None,
        box_scale: float = 1.0,
        box_jitter: NonNegativeFloat = 0.1,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if box_scale <= 0:
            raise ConfigValueError(
                f'{type(self).__name__}: box_scale={box_scale} must be positive.'
            )
        self.keypoint_roi_extractor = MODELS.build(keypoint_roi_extractor)
        self.keypoint_head = MODELS.build(
            merge_head_options(keypoint_head, codec, loss_keypoint, box_scale)
        )
        self.box_scale = box_scale
        self.box_jitter = box_jitter

    @property
    def codec(self):
        """BaseKeypointCodec: The keypoint head's."""
        return self.keypoint_head.codec

    @property
    def loss_keypoint(self) -> nn.Module:
        """nn.Module: The keypoint head's."""
        return self.keypoint_head.loss_keypoint

    @property
    def num_keypoints(self) -> int:
        """int: Keypoints K of a person."""
        return self.keypoint_head.num_keypoints

    @property
    def sigmas(self) -> tuple[float, ...]:
        """tuple[float]: (K,) of OKS: the codec's, else COCO's."""
        return getattr(self.codec, 'sigmas', None) or load_sigmas()

    def follow(self, metainfo: Mapping[str, Any]) -> None:
        """Take the sigmas of a data set, unless some were given.

        Args:
            metainfo (Mapping): As mmpose has parsed it.
        """
        if isinstance(self.codec, RoIHeatmap):
            self.codec.follow(metainfo)

    @property
    def num_classes(self) -> int:
        """int: Categories that the box branch tells apart."""
        heads = self.bbox_head
        return (heads[-1] if isinstance(heads, nn.ModuleList) else heads).num_classes

    def sample_proposals(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_gt_instances: list[InstanceData],
        batch_gt_instances_ignore: list[InstanceData],
        assigner,
        sampler,
    ) -> list[SamplingResult]:
        """Assign the proposals of each image to its people and sample some.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData | None]): Proposals ``bboxes`` of each
                image; not changed. For None, boxes near the annotated people are used.
            batch_gt_instances (list[InstanceData]): ``bboxes`` and ``labels``.
            batch_gt_instances_ignore (list[InstanceData]): Regions to ignore.
            assigner: mmdet's, such as ``MaxIoUAssigner``.
            sampler: mmdet's, such as ``RandomSampler``.

        Returns:
            list[SamplingResult]: One for each image.
        """
        results = []
        for i, rpn_results in enumerate(rpn_results_list):
            if rpn_results is None:
                proposals = jitter_boxes(batch_gt_instances[i].bboxes, self.box_jitter)
            else:
                proposals = rpn_results.new()
                proposals.priors = proposals.pop('bboxes')
            assigned = assigner.assign(
                proposals, batch_gt_instances[i], batch_gt_instances_ignore[i]
            )
            results.append(
                sampler.sample(
                    assigned,
                    proposals,
                    batch_gt_instances[i],
                    feats=[feat[i][None] for feat in x],
                )
            )
        return results

    def enlarge(self, boxes: Tensor) -> Tensor:
        """Widen boxes (N, 4) about their centres by ``box_scale``.

        The order of the operations is that of the released program: the last
        digit of a corner decides the sign of an activation here and there.
        """
        grow = (boxes[:, 2:] - boxes[:, :2]) * ((self.box_scale - 1) / 2)
        return torch.cat((boxes[:, :2] - grow, boxes[:, 2:] + grow), -1)

    def _keypoint_forward(
        self, x: tuple[Tensor, ...], boxes: list[Tensor]
    ) -> KeypointOutput:
        """Predict the keypoints in the (enlarged) boxes of each image.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            boxes (list[Tensor]): (N_i, 4) of each image, the network input's
                frame.

        Returns:
            KeypointOutput: Of all images' people in turn.
        """
        extractor = self.keypoint_roi_extractor
        feats = extractor(x[: extractor.num_inputs], to_rois(boxes))
        return self.keypoint_head(feats)

    def keypoint_loss(
        self,
        x: tuple[Tensor, ...],
        sampling_results: list[SamplingResult],
        batch_gt_instances: list[InstanceData],
    ) -> dict:
        """Compute the loss of the keypoint branch.

        It trains on the positive proposals that contain, before they are enlarged, at
        least one labelled keypoint of their person.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            sampling_results (list[SamplingResult]): Of each image.
            batch_gt_instances (list[InstanceData]): Of each image, with
                ``keypoints`` (N, K, 2) and ``keypoints_visible`` (N, K).

        Returns:
            dict: ``loss_keypoint``, a dict of the keypoint loss and, with a visibility
            branch, of its loss. If there is nothing to learn, they are 0 with a
            gradient to every parameter, so that all processes reduce the same
            gradients.

        Raises:
            ValueError: The annotations have another number of keypoints than the head,
                or the head's logits are not of the codec's size.
        """
        head = self.keypoint_head
        boxes, keypoints, visible, seen = [], [], [], []
        for sampled, gt in zip(sampling_results, batch_gt_instances):
            self._check_annotation(gt)
            matched = sampled.pos_assigned_gt_inds
            points = pixel_index_to_continuous(gt.keypoints[matched])
            labelled = gt.keypoints_visible[matched] > 0
            priors = sampled.pos_priors
            inside = (points >= priors[:, None, :2]) & (points <= priors[:, None, 2:])
            useful = (inside.all(-1) & labelled).any(-1)
            boxes.append(self.enlarge(priors[useful]))
            keypoints.append(gt.keypoints[matched][useful])
            visible.append(labelled[useful])
            if head.visibility_branch is not None:
                seen.append(gt.visibility_targets[matched][useful])
        targets = head.get_targets(
            torch.cat(boxes),
            torch.cat(keypoints),
            torch.cat(visible),
            torch.cat(seen) if seen else None,
        )
        if (targets['keypoint_weights'] > 0).any():
            loss = head.loss_by_feat(self._keypoint_forward(x, boxes), targets)
        else:
            loss = dict(loss_keypoint=zero_loss(head, x))
        return dict(loss_keypoint=loss)

    def _check_annotation(self, gt: InstanceData) -> None:
        """Refuse instances of another skeleton than the head's."""
        if 'keypoints' not in gt or 'keypoints_visible' not in gt:
            raise ValueError(
                f'{type(self).__name__}: the annotations lack keypoints or '
                f'keypoints_visible: end the pipeline with PackKeypointRCNNInputs.'
            )
        branch = self.keypoint_head.visibility_branch
        if branch is not None and 'visibility_targets' not in gt:
            raise ValueError(
                f'{type(self).__name__}: the annotations lack visibility_targets, '
                'which model.roi_head.keypoint_head.visibility_branch learns from: use '
                'PersonKeypointsDataset, or leave the branch out.'
            )
        if gt.keypoints.shape[1] != self.num_keypoints:
            raise ValueError(
                f'{type(self).__name__}: the annotations have '
                f'{gt.keypoints.shape[1]} keypoints, the keypoint head '
                f'{self.num_keypoints}: set num_keypoints of '
                f'model.roi_head.keypoint_head to that of the data set.'
            )

    def predict(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list,
        rescale: bool = False,
        flipped: tuple | None = None,
    ) -> list[InstanceData]:
        """Detect people and their keypoints.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData]): Proposals of each image.
            batch_data_samples (list): Data samples with the images' metainfo.
            rescale (bool): Whether the results are in the original image's
                frame, otherwise in the network input's.
            flipped (tuple, optional): Feature maps and proposals of the
                mirrored images. Boxes of both are merged by NMS, logits are averaged.

        Returns:
            list[InstanceData]: For each image ``bboxes`` (N, 4), ``scores``
            (N,), ``labels`` (N,), ``keypoints`` (N, K, 2), ``keypoint_scores``
            (N, K), ``keypoint_logits`` (N, K, H, W), with a visibility branch
            ``keypoint_presence`` and ``keypoints_visible`` (N, K), and with a mask
            branch ``masks``.
        """
        metas = [sample.metainfo for sample in batch_data_samples]
        # RoIs are pooled in float32: once for all branches
        x = tuple(feat.float() for feat in x)
        results = self.predict_bbox(
            x, metas, rpn_results_list, rcnn_test_cfg=self.test_cfg, rescale=False
        )
        if flipped is not None:
            flipped_x, flipped_rpn_results = flipped
            flipped_x = tuple(feat.float() for feat in flipped_x)
            others = self.predict_bbox(
                flipped_x,
                metas,
                flipped_rpn_results,
                rcnn_test_cfg=self.test_cfg,
                rescale=False,
            )
            if is_plain_nms(self.test_cfg.nms):
                results = merge_together(results, others, metas, self.test_cfg)
            else:
                pairs = zip(results, others, metas)
                results = [self._merge_flipped(*each) for each in pairs]
        results = self.predict_keypoint(
            x,
            metas,
            results,
            rescale=rescale,
            flipped_x=None if flipped is None else flipped_x,
        )
        if self.with_mask:
            # rescales the boxes along with the masks
            return self.predict_mask(x, metas, results, rescale=rescale)
        if rescale:
            numbers = [len(result) for result in results]
            boxes = torch.cat([result.bboxes for result in results])
            scales = [[1 / s for s in meta['scale_factor']] * 2 for meta in metas]
            boxes = boxes * each_image(scales, numbers, boxes)
            for result, rescaled in zip(results, boxes.split(numbers)):
                result.bboxes = rescaled
        return results

    def _merge_flipped(
        self, result: InstanceData, other: InstanceData, meta: dict
    ) -> InstanceData:
        """Suppress the detections of an image and its mirror image together."""
        other.bboxes = bbox_flip(other.bboxes, meta['img_shape'])
        both = InstanceData.cat([result, other])
        if not len(both):
            return both
        dets, keep = batched_nms(
            both.bboxes, both.scores, both.labels, self.test_cfg.nms
        )
        if self.test_cfg.max_per_img > 0:
            keep = keep[: self.test_cfg.max_per_img]
        both = both[keep]
        both.scores = dets[: len(keep), -1]
        return both

    def predict_keypoint(
        self,
        x: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        results_list: list[InstanceData],
        rescale: bool = False,
        flipped_x: tuple[Tensor, ...] | None = None,
    ) -> list[InstanceData]:
        """Add keypoints to the people detected.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            batch_img_metas (list[dict]): Metainfo of each image.
            results_list (list[InstanceData]): ``bboxes`` (N, 4) of each
                image in the network input's frame; not changed.
            rescale (bool): Whether the keypoints are in the original image's
                frame.
            flipped_x (tuple[Tensor], optional): Maps of the mirrored images.

        Returns:
            list[InstanceData]: The same with ``keypoints``,
            ``keypoint_scores`` and ``keypoint_logits``; if the metainfo has
            ``keypoint_categories``, each with the keypoints of its own category, see
            :func:`clear_other_keypoints`.
        """
        numbers = [len(result) for result in results_list]
        all_boxes = self.enlarge(torch.cat([result.bboxes for result in results_list]))
        boxes = list(all_boxes.split(numbers))
        output = self._keypoint_forward(x, boxes)
        if flipped_x is not None:
            widths = [meta['img_shape'][1] for meta in batch_img_metas]
            mirrored = mirror_boxes(all_boxes, each_image(widths, numbers, all_boxes))
            output = average_flipped(
                output,
                self._keypoint_forward(flipped_x, list(mirrored.split(numbers))),
                batch_img_metas[0]['flip_indices'],
            )
        results_list = self.keypoint_head.predict_by_feat(
            output, boxes, results_list, batch_img_metas, rescale
        )
        owners = batch_img_metas[0].get('keypoint_categories')
        if owners is not None:
            for result in results_list:
                clear_other_keypoints(result, owners)
        return results_list

    def forward(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list | None = None,
    ) -> tuple:
        """Return the raw outputs of all branches, to trace or count operations.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData]): Proposals of each image.
            batch_data_samples (list, optional): Data samples.

        Returns:
            tuple: The outputs of the base head, then the logits of at most 100
            proposals of each image.
        """
        results = super().forward(x, rpn_results_list, batch_data_samples)
        boxes = [self.enlarge(r.bboxes[:100]) for r in rpn_results_list]
        return (*results, self._keypoint_forward(x, boxes).logits)


def merge_head_options(
    keypoint_head: dict,
    codec: dict | None,
    loss_keypoint: dict | None,
    box_scale: float,
) -> dict:
    """Return the keypoint head's config with its codec and its loss.

    Args:
        keypoint_head (dict): Config of the head, with or without ``codec`` and
            ``loss_keypoint``; not changed.
        codec (dict, optional): The RoI head's option of that name.
        loss_keypoint (dict, optional): The RoI head's option of that name.
        box_scale (float): How much wider the region is than the box.

    Returns:
        dict: For the registry.

    Raises:
        ConfigValueError: If an option differs between the head's and the RoI head's.
    """
    merged = dict(keypoint_head)
    for name, former in (('codec', codec), ('loss_keypoint', loss_keypoint)):
        own = merged.get(name) or {}
        for key, value in (former or {}).items():
            if key in own and own[key] != value:
                raise ConfigValueError(
                    f'model.roi_head.{name}.{key}={value!r} differs from '
                    f'model.roi_head.keypoint_head.{name}.{key}={own[key]!r}: give it '
                    'in one of these places.'
                )
        if former or own:
            merged[name] = {**(former or {}), **own}
    codec = {'type': 'RoIHeatmap', **merged.get('codec', {})}
    kind = codec['type']
    if not inspect.isclass(kind):
        kind = KEYPOINT_CODECS.get(kind)
    if kind is not None and issubclass(kind, RoIHeatmap):
        codec.setdefault('area_ratio', PERSON_AREA_RATIO / box_scale**2)
    merged['codec'] = codec
    return merged
