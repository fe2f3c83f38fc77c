# Copyright (c) onestage_pose contributors.
"""Greedy non-maximum suppression of many sets of boxes at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .cpu_fallback import call_operator

# Pairs of boxes that are compared at once: 256 MiB for each float of a pair.
MAX_PAIRS = 2**26
# Rounds between two looks at whether anything has changed, each of which waits for the
# device.
ROUNDS = 4


def batched_nms(
    boxes: Tensor, scores: Tensor, valid: Tensor, iou_threshold: float
) -> Tensor:
    """Suppress the boxes of each set that overlap a better one of their set.

    A CPU goes through the sets one after the other. Elsewhere all of them go together,
    so that the number of kernels does not grow with the number of sets; see
    :func:`nms_by_rounds`. Both keep the same boxes.

    Args:
        boxes (Tensor): (S, N, 4) xyxy, S sets of N boxes, float32.
        scores (Tensor): (S, N). Of equal scores the first one is the better.
        valid (Tensor): (S, N) bool; other boxes are padding.
        iou_threshold (float): A box goes if its IoU with a kept one is above this.

    Returns:
        Tensor: (S, N) bool, which boxes are kept.
    """
    number = boxes.shape[1]
    if boxes.device.type == 'cpu' or number**2 > MAX_PAIRS:
        return nms_one_by_one(boxes, scores, valid, iou_threshold)
    return nms_by_rounds(boxes, scores, valid, iou_threshold)


def nms_one_by_one(
    boxes: Tensor, scores: Tensor, valid: Tensor, iou_threshold: float
) -> Tensor:
    """Return which boxes are kept, by torchvision's operator for each set.

    Args and returns: see :func:`batched_nms`.
    """
    members = valid.flatten().nonzero().squeeze(1)
    numbers = valid.sum(1).tolist()
    sets = zip(
        boxes.flatten(0, 1)[members].split(numbers),
        scores.flatten()[members].split(numbers),
    )
    found = [
        call_operator(torch.ops.torchvision.nms, *each, iou_threshold) for each in sets
    ]
    starts = [sum(numbers[:index]) for index in range(len(numbers))]
    kept = torch.zeros_like(valid)
    if len(found) > 1:
        lengths = torch.tensor([len(each) for each in found])
        offset = torch.tensor(starts).repeat_interleave(lengths)
        found = [torch.cat(found) + offset.to(boxes.device)]
    if found:
        kept.view(-1)[members[found[0]]] = True
    return kept


def nms_by_rounds(
    boxes: Tensor, scores: Tensor, valid: Tensor, iou_threshold: float
) -> Tensor:
    """Return which boxes are kept, of all sets at once.

    A box is kept if no kept box before it overlaps it. Begun with all boxes, each round
    of this rule settles at least one box more of a chain of overlapping boxes, and once
    a round changes nothing the answer is that of going through the boxes one by one: it
    is the only one that the rule leaves as it is.

    Args and returns: see :func:`batched_nms`.
    """
    if not valid.numel():
        return valid
    together = max(MAX_PAIRS // valid.shape[1] ** 2, 1)
    parts = zip(*(each.split(together) for each in (boxes, scores, valid)))
    return torch.cat([_settle(*part, iou_threshold) for part in parts])


def _settle(
    boxes: Tensor, scores: Tensor, valid: Tensor, iou_threshold: float
) -> Tensor:
    """As :func:`nms_by_rounds`, of as many sets as memory is for."""
    order = scores.masked_fill(~valid, -torch.inf).sort(
        dim=1, descending=True, stable=True
    )[1]
    overlaps = _suppressions(
        boxes.gather(1, order[..., None].expand(-1, -1, 4)), iou_threshold
    )
    # 1 and 0 instead of bool, so that a round is two kernels
    kept = valid.gather(1, order).to(overlaps.dtype)[:, None]
    padding = 1 - kept
    while True:
        before = kept.clone()
        for _ in range(ROUNDS):
            hits = torch.baddbmm(padding, kept, overlaps)
            torch.eq(hits, 0, out=kept)
        if torch.equal(kept, before):
            return torch.zeros_like(valid).scatter_(1, order, kept[:, 0] > 0)


def _suppressions(boxes: Tensor, iou_threshold: float) -> Tensor:
    """1 where a box i would suppress a later box j, (S, N, N) of a dtype to multiply.

    In torchvision's order of operations.
    """
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    near = torch.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
    far = torch.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
    width, height = (far - near).clamp(min=0).unbind(-1)
    both = width * height
    above = both / (area[:, :, None] + area[:, None] - both) > iou_threshold
    # sums of ones and zeros, of which only 0 is asked for
    on_cpu = boxes.device.type == 'cpu'
    return above.triu(1).to(torch.float32 if on_cpu else torch.float16)
