# Copyright (c) onestage_pose contributors.
"""The instances of all images of a batch in one tensor, each image's in turn.

How many an image has is known on the host, as a list ``numbers``, so that nothing
waits for the device to find out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from torch import Tensor


def is_plain_nms(cfg: dict) -> bool:
    """Return whether this is greedy suppression by an IoU threshold and no more.

    Everything else is left to mmdet, image by image.
    """
    return 'iou_threshold' in cfg and (
        cfg.get('type', 'nms') == 'nms' and set(cfg) <= {'type', 'iou_threshold'}
    )


def decodes_together(coder: object) -> bool:
    """Return whether boxes may be decoded first and clipped to their image then."""
    return type(coder) is DeltaXYWHBBoxCoder and not coder.use_box_type


def each_image(values: Sequence, numbers: list[int], like: Tensor) -> Tensor:
    """Give every instance what is known of its image.

    Args:
        values (Sequence): A number, or as many for each of B images.
        numbers (list[int]): Instances of each image, B.
        like (Tensor): Whose dtype and device the result has.

    Returns:
        Tensor: (N, ...) of N instances.
    """
    repeated = np.repeat(np.asarray(values, np.float64), numbers, axis=0)
    return _send(repeated, like.device, like.dtype)


def to_rois(boxes: list[Tensor]) -> Tensor:
    """Return RoIs (N, 5), the index of the image and xyxy, as mmdet's ``bbox2roi``.

    Args:
        boxes (list[Tensor]): (N_i, 4) of each image.
    """
    numbers = [len(each) for each in boxes]
    boxes = torch.cat(boxes)
    image = each_image(range(len(numbers)), numbers, boxes)
    return torch.cat((image[:, None], boxes), -1)


def clip_boxes(boxes: Tensor, metas: list[dict]) -> Tensor:
    """Cut boxes off at the borders of their images.

    Args:
        boxes (Tensor): (B, N, 4) xyxy in the network input's frame.
        metas (list[dict]): With ``img_shape`` (h, w) of each image, B.

    Returns:
        Tensor: (B, N, 4).
    """
    borders = np.array([[*meta['img_shape'][1::-1]] * 2 for meta in metas])
    borders = _send(borders, boxes.device, boxes.dtype)
    return boxes.clamp(min=0).minimum(borders[:, None])


def move_apart(boxes: Tensor, group: Tensor, valid: Tensor) -> Tensor:
    """Move boxes so that those of one group do not touch those of another.

    As mmcv's ``batched_nms`` does, to the last digit, which decides about overlaps as
    large as the threshold.

    Args:
        boxes (Tensor): (B, N, 4) xyxy.
        group (Tensor): (B, N) or (N,) int64.
        valid (Tensor): (B, N) bool; other boxes do not count.

    Returns:
        Tensor: (B, N, 4).
    """
    largest = boxes.masked_fill(~valid[..., None], -torch.inf).amax((1, 2))
    largest = torch.where(valid.any(1), largest, 0)
    return boxes + (group.to(boxes) * (largest[:, None] + 1))[..., None]


def pad_together(numbers: list[int], *values: Tensor) -> tuple[Tensor, ...]:
    """Put each image's instances in a row of its own.

    Args:
        numbers (list[int]): Instances of each image, B.
        *values (Tensor): (N, ...) of the instances of all images in turn.

    Returns:
        tuple[Tensor, ...]: (B, M) bool, M of the image that has most, which of them are
        instances; then each of the values as (B, M, ...).
    """
    shape, device = (len(numbers), max(numbers)), values[0].device
    if min(numbers) == max(numbers):
        valid = torch.ones(shape, dtype=torch.bool, device=device)
        return valid, *(each.view(*shape, *each.shape[1:]) for each in values)
    starts = np.cumsum([0, *numbers[:-1]])[:, None]
    place = np.arange(max(numbers))[None]
    is_instance = place < np.array(numbers)[:, None]
    index = np.where(is_instance, starts + place, 0)
    index, valid = (_send(each, device) for each in (index, is_instance))
    return valid, *(each[index] for each in values)


def best_of_each(kept: Tensor, scores: Tensor, most: int) -> tuple[Tensor, list[int]]:
    """Choose the instances of each image that are kept, best first.

    Args:
        kept (Tensor): (B, M) bool.
        scores (Tensor): (B, M). Of equal scores the first one is the better.
        most (int): How many of an image at most; without a limit where not positive.

    Returns:
        tuple[Tensor, list[int]]: Indices (N,) into the B * M instances, image by image,
        and how many there are of each image. Waits for the device, once.
    """
    ranked = scores.masked_fill(~kept, -torch.inf).sort(
        dim=1, descending=True, stable=True
    )[1]
    numbers = kept.sum(1)
    if most > 0:
        ranked = ranked[:, :most]
        numbers = numbers.clamp(max=most)
    rows, width = ranked.shape
    first = torch.arange(rows, device=kept.device) * kept.shape[1]
    index = (ranked + first[:, None]).flatten()
    numbers = numbers.tolist()
    if sum(numbers) < len(index):
        places = [row * width + np.arange(number) for row, number in enumerate(numbers)]
        index = index[_send(np.concatenate(places), kept.device)]
    return index, numbers


def _send(
    array: np.ndarray, device: torch.device, dtype: torch.dtype | None = None
) -> Tensor:
    """Return an array of the host as a tensor, without waiting for a GPU."""
    tensor = torch.as_tensor(array, dtype=dtype)
    return tensor.to(device, non_blocking=device.type == 'cuda')
