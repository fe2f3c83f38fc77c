# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from torch import Tensor

from .grid import grid_size


def position_covariance(logits: Tensor, sizes: Tensor, position: Tensor) -> Tensor:
    """Return the second moments of the heatmaps about the decoded positions.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): (N, 2), widths and heights of the boxes, in pixels.
        position (Tensor): (N, K, 2), as fractions of the box.

    Returns:
        Tensor: (N, K, 2, 2) covariances of x and y, in square pixels. They are at least
        those of a uniform distribution over one bin.
    """
    width, height = grid_size(logits)
    x = (torch.arange(width, device=logits.device) + 0.5) / width
    y = (torch.arange(height, device=logits.device) + 0.5) / height
    x, y = x.repeat(height), y.repeat_interleave(width)
    powers = torch.stack((x, y, x * x, x * y, y * y), -1).to(logits)
    mean_x, mean_y, *squares = (logits.flatten(2).softmax(-1) @ powers).unbind(-1)
    px, py = position.unbind(-1)
    xx = squares[0] - 2 * px * mean_x + px * px + 1 / (12 * width**2)
    xy = squares[1] - px * mean_y - py * mean_x + px * py
    yy = squares[2] - 2 * py * mean_y + py * py + 1 / (12 * height**2)
    moments = torch.stack((xx, xy, xy, yy), -1).unflatten(-1, (2, 2))
    return moments * (sizes[:, None, :, None] * sizes[:, None, None, :])
