# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from mmdet.models.task_modules.assigners import AssignResult, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData

from ...utils.arguments import check_arguments


@TASK_UTILS.register_module()
class CrowdIoUAssigner(MaxIoUAssigner):
    """mmdet's assigner, which here ignores only negatives in crowd regions.

    mmdet's ``MaxIoUAssigner`` ignores positives there too: a person in front of a
    crowd, or in a region of uncertain detections, would not be trained on.

    A box is ignored if it is assigned to nobody and more than ``ignore_iof_thr`` of it
    lies in one crowd region.

    Args:
        *args: See mmdet's ``MaxIoUAssigner``.
        **kwargs: See mmdet's ``MaxIoUAssigner``.
        iou_calculator (dict): Config of the IoU calculator; by default mmdet's, with
            its scope, so that it is also found from mmpose's scope.
    """

    @check_arguments
    def __init__(self, *args, iou_calculator: dict | None = None, **kwargs):
        iou_calculator = iou_calculator or dict(type='mmdet.BboxOverlaps2D')
        super().__init__(*args, iou_calculator=iou_calculator, **kwargs)

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs,
    ) -> AssignResult:
        """Assign each box to a person (from 1), to none (0), or ignore it (-1).

        Args:
            pred_instances (InstanceData): ``priors`` (N, 4).
            gt_instances (InstanceData): People, ``bboxes`` (M, 4) and ``labels`` (M,).
            gt_instances_ignore (InstanceData, optional): Crowds, ``bboxes`` (C, 4).
            **kwargs: As in mmdet.

        Returns:
            AssignResult: ``gt_inds`` (N,) and the other fields of mmdet.
        """
        result = super().assign(pred_instances, gt_instances, None, **kwargs)
        none = gt_instances_ignore is None or not len(gt_instances_ignore)
        if none or self.ignore_iof_thr <= 0:
            return result
        inside = self.iou_calculator(
            pred_instances.priors, gt_instances_ignore.bboxes, mode='iof'
        )
        ignored = inside.amax(1) > self.ignore_iof_thr
        result.gt_inds[ignored & (result.gt_inds == 0)] = -1
        return result
