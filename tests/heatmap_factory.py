# Copyright (c) onestage_pose contributors.
"""Heatmaps of known shape, and boxes to put them in."""

import torch
import torch.nn.functional as F


def random_boxes(num, smallest=20.0, largest=300.0):
    """(num, 4) boxes anywhere, beyond the picture's border as well."""
    corner = torch.rand(num, 2) * 600 - 100
    return torch.cat(
        (corner, corner + smallest + torch.rand(num, 2) * (largest - smallest)), -1
    )


def smooth_logits(num, num_keypoints, width=56, height=56):
    """Logits with several hills, as an unsure head gives them."""
    coarse = torch.randn(num, num_keypoints, height // 6 + 2, width // 6 + 2)
    return 4 * F.interpolate(coarse, (height, width), mode='bilinear')


def gaussian_logits(peaks, sigma=2.0, width=56, height=56):
    """Log of a Gaussian about each of ``peaks`` (N, K, 2), in bins from the edge."""
    xs = torch.arange(width) + 0.5
    ys = torch.arange(height) + 0.5
    dx = xs - peaks[..., 0, None]
    dy = ys - peaks[..., 1, None]
    return -(dy[..., :, None] ** 2 + dx[..., None, :] ** 2) / (2 * sigma**2)


def unit_boxes(num, width=56, height=56):
    """Boxes in which a bin is one pixel."""
    return torch.tensor([[0.0, 0.0, width, height]]).repeat(num, 1)
