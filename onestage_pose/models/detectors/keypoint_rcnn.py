# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from statistics import mode

import torch.nn.functional as F
from mmdet.models.detectors import TwoStageDetector
from mmdet.models.roi_heads.roi_extractors import BaseRoIExtractor
from mmdet.registry import MODELS
from mmengine.structures import InstanceData, PixelData
from torch import Tensor

from ...ops import log_backend
from ...utils.arguments import check_arguments
from ...utils.errors import ConfigValueError
from ...visualization import paste_heatmaps
from ..acceleration import (
    accelerate,
    compile_dense_parts,
    register_float32_outputs,
    use_channels_last,
)
from ..test_time_augs import mirror_images
from ..utils.finite_features import check_features
from ..utils.incomplete_annotations import rpn_loss_and_predict
from ..utils.like_sizes import split_by_size
from ..utils.own_keypoints import clear_fields
from ..utils.postprocessing import pack_together, postprocess
from ..utils.precision import autocast_to, tensor_float32
from ..utils.targets import samples_optional, use_instance_labels
from ..utils.test_cfg import KeypointTestCfg


@MODELS.register_module()
class KeypointRCNN(TwoStageDetector):
    """Keypoint R-CNN: Mask R-CNN (arXiv 1703.06870) with a keypoint branch.

    The RoI head decides the variant: Detectron2's, or with :class:`GCMKeypointHead`, P2
    alone and enlarged boxes the one-stage method of arXiv 2301.04842.

    Other arguments are those of mmdet's ``TwoStageDetector``.

    Args:
        roi_head (dict): :class:`KeypointRoIHead` or :class:`CascadeKeypointRoIHead`.
        test_cfg (dict): See :class:`KeypointTestCfg`.
        image_pyramid (bool): Whether the network also sees every image at half its
            size, for large people, see :meth:`extract_feat`.

    Raises:
        ConfigValueError: ``test_cfg`` has an unknown option or an invalid value, or
            the strides of a part are not those of the pyramid's maps.
    """

    _forward = samples_optional(TwoStageDetector._forward)

    @check_arguments
    def __init__(
        self,
        backbone: dict,
        neck: dict,
        rpn_head: dict,
        roi_head: dict,
        test_cfg: dict,
        train_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
        image_pyramid: bool = False,
    ) -> None:
        options = KeypointTestCfg.read(test_cfg)
        parts = backbone, neck, rpn_head, roi_head, train_cfg, test_cfg
        super().__init__(*parts, data_preprocessor, init_cfg)
        self.image_pyramid = image_pyramid
        self._check_levels()
        options.check_sigmas(self.roi_head.num_keypoints)
        options.check_presence(self.roi_head.keypoint_head.visibility_branch)
        register_float32_outputs(self)
        # whatever torch's default dtype is: boxes and RoIs are float32, too
        self.float()
        log_backend()

    def _check_levels(self) -> None:
        """Refuse RoI extractors of maps that there are not."""
        extractors = {
            f'model.roi_head.{name}': (
                list(getattr(part, 'levels', range(part.num_inputs))),
                list(part.featmap_strides),
            )
            for name, part in self.roi_head.named_modules()
            if isinstance(part, BaseRoIExtractor)
        }
        if self.image_pyramid:
            self._check_strides(extractors)
            return
        for key, (levels, strides) in extractors.items():
            too_many = self.with_neck and max(levels) >= self.neck.num_outs
            of_fpn = [strides[0] * 2 ** (level - levels[0]) for level in levels]
            by_default = levels == list(range(len(levels)))
            if too_many or not (by_default or of_fpn == strides):
                raise ConfigValueError(
                    f'KeypointRCNN: {key} with levels={levels} and featmap_strides='
                    f'{strides} does not fit the maps of the neck. Set '
                    'model.image_pyramid=True, or leave out levels and set '
                    'featmap_strides, and the strides of '
                    'model.rpn_head.anchor_generator, to those of the maps.'
                )

    def _check_strides(self, extractors: dict[str, tuple[list, list]]) -> None:
        """Refuse parts that take the maps of the pyramid for those of an FPN.

        Args:
            extractors (dict[str, tuple[list, list]]): Levels and strides of each.
        """
        # as multiples of the first map's
        of_half = [2 * 2**level for level in range(self.neck.num_outs)]
        of_maps = [1, of_half[0], 2, *of_half[1:]]
        anchors = [max(each) for each in self.rpn_head.prior_generator.strides]
        last = list(range(len(of_maps)))[-len(anchors) :]
        for key, (levels, _) in extractors.items():
            if max(levels) >= len(of_maps):
                raise ConfigValueError(
                    f'KeypointRCNN: {key}.levels={levels}, but the maps go from 0 to '
                    f'{len(of_maps) - 1}.'
                )
        strides_of = {
            f'{key}.featmap_strides': each for key, each in extractors.items()
        }
        strides_of['model.rpn_head.anchor_generator.strides'] = last, anchors
        first = mode(
            stride / of_maps[level]
            for levels, strides in strides_of.values()
            for level, stride in zip(levels, strides)
        )
        for key, (levels, strides) in strides_of.items():
            expected = [int(first * of_maps[level]) for level in levels]
            if strides != expected:
                raise ConfigValueError(
                    f'KeypointRCNN: {key}={strides}, but with image_pyramid=True the '
                    f'maps that it takes have strides {expected}: set it to these.'
                )

    @property
    def test_options(self) -> KeypointTestCfg:
        """KeypointTestCfg: ``test_cfg`` as it is now."""
        return KeypointTestCfg.read(self.test_cfg)

    @property
    def dataset_meta(self) -> dict:
        """dict: Metainfo of the data set; its sigmas are the default ones."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, metainfo: dict) -> None:
        self._dataset_meta = metainfo
        self.roi_head.follow(metainfo)

    def train(self, mode: bool = True) -> KeypointRCNN:
        """Switch to training, or to prediction with :func:`accelerate`, by
        ``test_cfg``.
        """
        if not mode:
            options = self.test_options
            accelerate(self, options.winograd, options.folded_norms)
            compile_dense_parts(self, bool(options.compile))
        return super().train(mode)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps, finest first.

        With ``image_pyramid``, the neck's maps of strides 4, 8, 16, ... at half the
        image's size are maps of strides 8, 16, 32, ... of the image. They replace all
        but the first two of the image itself: the returned ones have strides 4, 8, 8,
        16, 32, ..., of which the first and third are of the image itself. They take a
        quarter of the time of the others.

        Args:
            batch_inputs (Tensor): Images (B, 3, H, W).

        Returns:
            tuple[Tensor]: Each (B, C, h, w).
        """
        images = use_channels_last(batch_inputs)
        maps = super().extract_feat(images)
        if not self.image_pyramid:
            return maps
        finest, *others = super().extract_feat(self._halve(images))
        return (maps[0], finest, maps[1], *others)

    def _halve(self, images: Tensor) -> Tensor:
        """Return images at half their size, padded as the preprocessor pads them."""
        step = 2 * getattr(self.data_preprocessor, 'pad_size_divisor', 1)
        height, width = images.shape[-2:]
        return F.avg_pool2d(F.pad(images, (0, -width % step, 0, -height % step)), 2)

    def loss(self, batch_inputs: Tensor, batch_data_samples: list) -> dict:
        """Return the losses by name; see :func:`use_instance_labels`."""
        use_instance_labels(batch_data_samples)
        x = self.extract_feat(batch_inputs)
        cfg = self.train_cfg.get('rpn_proposal', self.test_cfg.rpn)
        losses, found = rpn_loss_and_predict(self.rpn_head, x, batch_data_samples, cfg)
        return {**losses, **self.roi_head.loss(x, found, batch_data_samples)}

    def predict(
        self, batch_inputs: Tensor, batch_data_samples: list, rescale: bool = True
    ) -> list:
        """Detect instances and their keypoints in images (B, 3, H, W), normalised.

        Results are in the original image's frame with ``rescale``, otherwise in the
        network input's. They do not depend on the other images of the batch, see
        :func:`split_by_size`.
        """
        for images, samples in split_by_size(batch_inputs, batch_data_samples):
            results = self._predict(images, samples, rescale)
            self.add_pred_to_datasample(samples, results, rescale=rescale)
        return batch_data_samples

    def _predict(self, images: Tensor, samples: list, rescale: bool) -> list:
        options, metas = self.test_options, [sample.metainfo for sample in samples]
        device = images.device.type
        exactly = tensor_float32(bool(options.tf32), device)
        with exactly, autocast_to(options.dtype, device):
            x, flipped = self.extract_feat(images), None
            check_features((x[2], x[-1]) if self.image_pyramid else x[-1:], metas)
            proposals = self.rpn_head.predict(x, samples, rescale=False)
            if options.flip_test:
                mirrored = self.extract_feat(mirror_images(images, metas))
                others = self.rpn_head.predict(mirrored, samples, rescale=False)
                flipped = mirrored, others
            return self.roi_head.predict(
                x, proposals, samples, rescale=rescale, flipped=flipped
            )

    def add_pred_to_datasample(
        self, data_samples: list, results_list: list[InstanceData], rescale: bool = True
    ) -> list:
        """Post-process the RoI head's predictions and store them as mmpose does.

        Each image's sample gets ``pred_instances``, see :func:`pack_together`, and on
        demand ``pred_fields.heatmaps`` (K, H, W); ``rescale`` as in :meth:`predict`.
        """
        options, shape = self.test_options, 'ori_shape' if rescale else 'img_shape'
        results_list = self._postprocess(results_list)
        for sample, result in zip(data_samples, results_list):
            if options.output_covariances:
                result.keypoint_covariances = (
                    self.roi_head.keypoint_head.predict_covariances(
                        result.keypoint_logits,
                        self.roi_head.enlarge(result.bboxes),
                        result.keypoints,
                    )
                )
                clear_fields(result)
            if options.output_heatmaps:
                seen = result[result.scores > (options.heatmap_thr or -1)]
                logits, boxes = seen.keypoint_logits, self.roi_head.enlarge(seen.bboxes)
                heatmaps = paste_heatmaps(
                    logits, boxes, sample.metainfo[shape][:2], seen.get('own_keypoints')
                )
                sample.pred_fields = PixelData(heatmaps=heatmaps)
        packed = pack_together(results_list, self.roi_head.num_classes)
        for sample, instances in zip(data_samples, packed):
            sample.pred_instances = instances
        return data_samples

    def postprocess(self, result: InstanceData) -> InstanceData:
        """Rescore and suppress one image's instances, see :func:`postprocess`."""
        return self._postprocess([result])[0]

    def _postprocess(self, results: list[InstanceData]) -> list[InstanceData]:
        options = self.test_options
        options.check_sigmas(self.roi_head.num_keypoints, self.roi_head.sigmas)
        return postprocess(results, options)
