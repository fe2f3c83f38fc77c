# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..structures.coordinates import bin_centers

# values that are held at once before the highest are taken
MAX_PASTED = 2**24


def paste_heatmaps(
    logits: Tensor,
    boxes: Tensor,
    image_size: tuple[int, int],
    shown: Tensor | None = None,
) -> Tensor:
    """Paste the distributions of all instances into one image, for drawing.

    Args:
        logits (Tensor): (N, K, H, W) of the bins of each box.
        boxes (Tensor): (N, 4) x1, y1, x2, y2 in the image's frame, continuous.
        image_size (tuple[int, int]): Height and width of the image, in pixels.
        shown (Tensor, optional): (N, K) bool, heatmaps to paste. By default all.

    Returns:
        Tensor: (K, height, width) float32, each instance's distribution scaled to a
        maximum of 1, 0 outside its box; the higher value where instances overlap.
    """
    height, width = image_size
    num_keypoints = logits.shape[1]
    canvas = logits.new_zeros(num_keypoints, height, width, dtype=torch.float32)
    if not len(logits):
        return canvas
    at_once = max(1, MAX_PASTED // max(1, canvas.numel()))
    start = 0
    ys = bin_centers(height, logits.device)
    xs = bin_centers(width, logits.device)
    for logit, box in zip(logits.float().split(at_once), boxes.float().split(at_once)):
        heatmaps = logit.flatten(2).softmax(-1)
        heatmaps = heatmaps / heatmaps.amax(-1, keepdim=True)
        near, size = box[:, :2, None], (box[:, 2:] - box[:, :2]).clamp(min=1)[..., None]
        # from -1 to 1 inside the box
        grid_x = 2 * (xs - near[:, 0]) / size[:, 0] - 1
        grid_y = 2 * (ys - near[:, 1]) / size[:, 1] - 1
        grid = torch.stack(
            (
                grid_x[:, None].expand(-1, height, -1),
                grid_y[..., None].expand(-1, -1, width),
            ),
            -1,
        )
        pasted = F.grid_sample(
            heatmaps.view_as(logit), grid, padding_mode='border', align_corners=False
        )
        inside = (grid.abs() <= 1).all(-1)[:, None]
        if shown is not None:
            inside = inside & shown[start : start + len(box), :, None, None]
            start += len(box)
        canvas = torch.maximum(canvas, torch.where(inside, pasted, 0).amax(0))
    return canvas
