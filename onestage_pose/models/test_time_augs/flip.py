# Copyright (c) onestage_pose contributors.
"""The flip test: a second look at the mirror image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpose.models.utils.tta import flip_heatmaps
from torch import Tensor

from ...structures import KeypointOutput


def mirror_images(batch_inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
    """Mirror each image within its own width; padding stays at the right.

    Args:
        batch_inputs (Tensor): Images (B, 3, H, W), padded at the right and below.
        batch_img_metas (list[dict]): With ``img_shape`` (h, w) of each image.

    Returns:
        Tensor: (B, 3, H, W), a copy.
    """
    widths = {meta['img_shape'][1] for meta in batch_img_metas}
    mirrored = batch_inputs.clone()
    if len(widths) == 1:
        (width,) = widths
        mirrored[..., :width] = batch_inputs[..., :width].flip(-1)
        return mirrored
    for image, meta in zip(mirrored, batch_img_metas):
        width = meta['img_shape'][1]
        image[..., :width] = image[..., :width].flip(-1)
    return mirrored


def mirror_boxes(boxes: Tensor, widths: Tensor) -> Tensor:
    """Mirror boxes, as mmdet's ``bbox_flip`` does those of one image.

    Args:
        boxes (Tensor): (N, 4) xyxy, of any images.
        widths (Tensor): (N,) of their images.

    Returns:
        Tensor: (N, 4).
    """
    left, top, right, bottom = boxes.unbind(-1)
    return torch.stack((widths - right, top, widths - left, bottom), -1)


def average_flipped(
    output: KeypointOutput, flipped: KeypointOutput, flip_indices: Sequence[int]
) -> KeypointOutput:
    """Average the logits of instances with those of their mirror images.

    Args:
        output (KeypointOutput): Of N instances.
        flipped (KeypointOutput): Output for the same instances in the mirror image.
        flip_indices (Sequence[int]): (K,) index of each keypoint's left-right partner.

    Returns:
        KeypointOutput: The average in the frame of ``output``, float32.
    """
    back = flip_heatmaps(flipped.logits.float(), flip_indices, shift_heatmap=False)
    visibility = output.visibility
    if visibility is not None:
        visibility = (visibility + flipped.visibility[:, flip_indices]) / 2
    return KeypointOutput((output.logits.float() + back) / 2, visibility)
