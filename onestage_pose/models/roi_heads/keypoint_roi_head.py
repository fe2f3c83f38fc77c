# Copyright (c) onestage_pose contributors.
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor

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
        """Losses of all branches on one sample of the proposals.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W).
            rpn_results_list (list[InstanceData]): Proposals of each picture.
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
        bbox_results = self.bbox_loss(x, sampled)
        losses = dict(bbox_results['loss_bbox'])
        losses.update(self.keypoint_loss(x, sampled, gt_instances)['loss_keypoint'])
        if self.with_mask:
            losses.update(
                self.mask_loss(x, sampled, bbox_results['bbox_feats'], gt_instances)[
                    'loss_mask'
                ]
            )
        return losses


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
        """Losses of all stages and of the keypoint branch.

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
        losses = super().loss(x, rpn_results_list, batch_data_samples)
        losses.update(self.keypoint_loss(x, sampled, gt_instances)['loss_keypoint'])
        return losses
