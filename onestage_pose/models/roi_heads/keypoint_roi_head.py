# Copyright (c) onestage_pose contributors.
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from ..utils.incomplete_annotations import completely_annotated, zero_loss
from ..utils.together import to_rois
from .box_detection import detect_together, detects_together
from .keypoint_branch import KeypointBranchMixin


@MODELS.register_module()
class KeypointRoIHead(KeypointBranchMixin, StandardRoIHead):
    """Box, keypoint and optionally mask branch, as in Keypoint R-CNN.

    Args: see :class:`KeypointBranchMixin` and mmdet's ``StandardRoIHead``.
    """

    def loss(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list,
    ) -> dict[str, Tensor]:
        """Compute the losses of all branches on a sample of the proposals.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData | None]): Proposals of each image, None
                for an image that trains the keypoint branch alone.
            batch_data_samples (list): Data samples with ``gt_instances``.

        Returns:
            dict[str, Tensor]: ``loss_cls``, ``loss_bbox``, ``acc``,
            ``loss_keypoint`` and with a mask branch ``loss_mask``.
        """
        gt_instances, gt_ignored, _ = unpack_gt_instances(batch_data_samples)
        sampled = self.sample_proposals(
            x,
            rpn_results_list,
            gt_instances,
            gt_ignored,
            self.bbox_assigner,
            self.bbox_sampler,
        )
        losses = dict(self.keypoint_loss(x, sampled, gt_instances)['loss_keypoint'])
        complete = completely_annotated(batch_data_samples)
        if not complete:
            return {'loss_cls': zero_loss(self, x), **losses}
        if len(complete) < len(batch_data_samples):
            x = tuple(feat[complete] for feat in x)
            sampled = [sampled[i] for i in complete]
            gt_instances = [gt_instances[i] for i in complete]
        bbox_results = self.bbox_loss(x, sampled)
        losses = {**bbox_results['loss_bbox'], **losses}
        if self.with_mask:
            losses.update(
                self.mask_loss(x, sampled, bbox_results['bbox_feats'], gt_instances)[
                    'loss_mask'
                ]
            )
        return losses

    def predict_bbox(
        self,
        x: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        rpn_results_list: list[InstanceData],
        rcnn_test_cfg: ConfigDict,
        rescale: bool = False,
    ) -> list[InstanceData]:
        """Detect the instances of all images together.

        Heads that :func:`detects_together` does not cover run image by image, in mmdet.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            batch_img_metas (list[dict]): Metainfo of each image.
            rpn_results_list (list[InstanceData]): Proposals of each image.
            rcnn_test_cfg (ConfigDict): ``test_cfg.rcnn``.
            rescale (bool): Whether the boxes are in the original image's frame,
                otherwise in the network input's.

        Returns:
            list[InstanceData]: Of each image ``bboxes`` (N, 4), ``scores`` (N,) and
            ``labels`` (N,), best first.
        """
        boxes = [proposals.bboxes for proposals in rpn_results_list]
        numbers = [len(each) for each in boxes]
        if (
            rescale
            or not sum(numbers)
            or not detects_together(self.bbox_head, rcnn_test_cfg)
        ):
            return super().predict_bbox(
                x, batch_img_metas, rpn_results_list, rcnn_test_cfg, rescale
            )
        rois = to_rois(boxes)
        found = self._bbox_forward(x, rois)
        return detect_together(
            self.bbox_head,
            rois,
            found['cls_score'],
            found['bbox_pred'],
            numbers,
            batch_img_metas,
            rcnn_test_cfg,
        )


@MODELS.register_module()
class CascadeKeypointRoIHead(KeypointBranchMixin, CascadeRoIHead):
    """Cascade R-CNN's box branches with one keypoint branch.

    The keypoint branch trains on a sample drawn with the first stage's assigner
    and sampler and predicts on the last stage's boxes, as in Detectron2.

    Args: see :class:`KeypointBranchMixin` and mmdet's ``CascadeRoIHead``.
    """

    def loss(
        self,
        x: tuple[Tensor, ...],
        rpn_results_list: list[InstanceData],
        batch_data_samples: list,
    ) -> dict[str, Tensor]:
        """Compute the losses of all stages and of the keypoint branch.

        Args and returns: see :meth:`KeypointRoIHead.loss`; the box losses carry
        their stage's prefix, ``s0.`` and so on.
        """
        gt_instances, gt_ignored, _ = unpack_gt_instances(batch_data_samples)
        sampled = self.sample_proposals(
            x,
            rpn_results_list,
            gt_instances,
            gt_ignored,
            self.bbox_assigner[0],
            self.bbox_sampler[0],
        )
        complete = completely_annotated(batch_data_samples)
        if complete:
            losses = super().loss(
                tuple(feat[complete] for feat in x),
                [rpn_results_list[i] for i in complete],
                [batch_data_samples[i] for i in complete],
            )
        else:
            losses = {'s0.loss_cls': zero_loss(self, x)}
        losses.update(self.keypoint_loss(x, sampled, gt_instances)['loss_keypoint'])
        return losses
