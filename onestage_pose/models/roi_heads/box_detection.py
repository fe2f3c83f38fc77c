# Copyright (c) onestage_pose contributors.
"""From the outputs of a box head to the instances of all images, together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...ops.batched_nms import batched_nms
from ..test_time_augs import mirror_boxes
from ..utils.together import (
    best_of_each,
    clip_boxes,
    decodes_together,
    each_image,
    is_plain_nms,
    move_apart,
    pad_together,
)
from .non_empty_bbox_head import NonEmptyBBoxHead


def detects_together(head: nn.Module, cfg: ConfigDict | None) -> bool:
    """Return whether :func:`detect_together` does what a box head of mmdet does.

    Args:
        head (nn.Module): The box head.
        cfg (ConfigDict, optional): ``test_cfg.rcnn``.
    """
    return (
        cfg is not None
        and is_plain_nms(cfg.nms)
        and isinstance(head, BBoxHead)
        and type(head).predict_by_feat is BBoxHead.predict_by_feat
        and type(head)._predict_by_feat_single
        in (BBoxHead._predict_by_feat_single, NonEmptyBBoxHead._predict_by_feat_single)
        and head.with_cls
        and head.with_reg
        and not head.custom_cls_channels
        and decodes_together(head.bbox_coder)
    )


def detect_together(
    head: BBoxHead,
    rois: Tensor,
    cls_score: Tensor,
    bbox_pred: Tensor,
    numbers: list[int],
    metas: list[dict],
    cfg: ConfigDict,
) -> list[InstanceData]:
    """Detect the instances of all images, as mmdet does image by image.

    Args:
        head (BBoxHead): The box head, with C classes.
        rois (Tensor): (N, 5) of all images in turn, N above 0.
        cls_score (Tensor): (N, C + 1) logits.
        bbox_pred (Tensor): (N, 4 C) deltas, or (N, 4) where they are of any class.
        numbers (list[int]): RoIs of each image.
        metas (list[dict]): With ``img_shape`` (h, w) of each image.
        cfg (ConfigDict): ``score_thr``, ``nms`` and ``max_per_img``.

    Returns:
        list[InstanceData]: Of each image ``bboxes`` (n, 4) in the network input's
        frame, ``scores`` (n,) and ``labels`` (n,), best first.
    """
    classes = head.num_classes
    boxes_of = 1 if head.reg_class_agnostic else classes
    boxes = head.bbox_coder.decode(
        rois[:, 1:].repeat_interleave(boxes_of, 0), bbox_pred.reshape(-1, 4)
    )
    valid, boxes, scores = pad_together(
        numbers, boxes.view(-1, boxes_of, 4), F.softmax(cls_score, -1)[:, :-1]
    )
    if head.bbox_coder.clip_border:
        boxes = clip_boxes(boxes.flatten(1, 2), metas).view_as(boxes)
    boxes = boxes.expand(-1, -1, classes, -1)
    valid = valid[..., None] & (scores > cfg.score_thr)
    if isinstance(head, NonEmptyBBoxHead):
        sides = boxes[..., 2:] - boxes[..., :2]
        valid = valid & (sides >= head.min_size).all(-1)
    labels = torch.arange(classes, device=boxes.device).expand_as(scores)
    found = (each.flatten(1, 2) for each in (boxes, scores, labels, valid))
    return _suppress(*found, cfg)


def merge_together(
    results: list[InstanceData],
    mirrored: list[InstanceData],
    metas: list[dict],
    cfg: ConfigDict,
) -> list[InstanceData]:
    """Suppress the detections of each image and of its mirror image together.

    Args:
        results (list[InstanceData]): ``bboxes``, ``scores`` and ``labels`` of each
            image.
        mirrored (list[InstanceData]): Of each mirror image, in its frame.
        metas (list[dict]): With ``img_shape`` (h, w) of each image.
        cfg (ConfigDict): ``nms`` and ``max_per_img``.

    Returns:
        list[InstanceData]: In the images' frame, best first.
    """
    numbers = [len(each) for each in mirrored]
    boxes = torch.cat([each.bboxes for each in mirrored])
    widths = each_image([meta['img_shape'][1] for meta in metas], numbers, boxes)
    back = mirror_boxes(boxes, widths).split(numbers)
    pairs = list(zip(results, mirrored))
    numbers = [len(one) + len(other) for one, other in pairs]
    if not sum(numbers):
        return results
    boxes = [each for one, box in zip(results, back) for each in (one.bboxes, box)]
    valid, *found = pad_together(
        numbers,
        torch.cat(boxes),
        torch.cat([each.scores for pair in pairs for each in pair]),
        torch.cat([each.labels for pair in pairs for each in pair]),
    )
    return _suppress(*found, valid, cfg)


def _suppress(
    boxes: Tensor, scores: Tensor, labels: Tensor, valid: Tensor, cfg: ConfigDict
) -> list[InstanceData]:
    """Instances of each image, of boxes (B, M, 4) and the rest (B, M)."""
    kept = batched_nms(
        move_apart(boxes, labels, valid), scores, valid, cfg.nms.iou_threshold
    )
    best, numbers = best_of_each(kept, scores, cfg.max_per_img)
    found = (each.flatten(0, 1)[best] for each in (boxes, scores, labels))
    return [
        InstanceData(bboxes=bboxes, scores=scores, labels=labels)
        for bboxes, scores, labels in zip(*(each.split(numbers) for each in found))
    ]
