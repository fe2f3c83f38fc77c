# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from ...structures.coordinates import pixel_index_to_continuous
from .grid import (
    as_fraction,
    distance_to_border,
    gather_window,
    highest_bin,
    softmax_over_bins,
    value_at_bin,
)
from .options import DecoderOptions


def decode_dark(
    logits: Tensor, sizes: Tensor, options: DecoderOptions
) -> tuple[Tensor, Tensor]:
    """Find the maximum of a second-order Taylor expansion at the highest bin.

    Of the blurred distribution's logarithm, as in DARK (arXiv 1910.06278).

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): Not used.
        options (DecoderOptions): ``blur_kernel_size``.

    Returns:
        tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box and the
        highest bin's logit (N, K).
    """
    column_row = highest_bin(logits)
    position = pixel_index_to_continuous(column_row)
    position = position + dark_offset(logits, column_row, options.blur_kernel_size)
    return as_fraction(position, logits), value_at_bin(logits, column_row)


def dark_offset(logits: Tensor, column_row: Tensor, blur_kernel_size: int) -> Tensor:
    """Return a Newton step to the maximum of the blurred log-distribution.

    Args:
        logits (Tensor): (N, K, H, W).
        column_row (Tensor): (N, K, 2) int64, where from.
        blur_kernel_size (int): Bins of the Gaussian blur, odd.

    Returns:
        Tensor: (N, K, 2) in bins, at most one; 0 within two bins of the border and
        where the surface has no maximum.
    """
    probability = softmax_over_bins(logits)
    kernel = cv2.getGaussianKernel(blur_kernel_size, 0)
    kernel = logits.new_tensor(kernel).view(1, 1, -1, 1)
    reach = blur_kernel_size // 2
    blurred = probability.flatten(0, 1)[:, None]
    blurred = F.conv2d(blurred, kernel, padding=(reach, 0))
    blurred = F.conv2d(blurred, kernel.mT, padding=(0, reach))
    around = gather_window(
        blurred.clamp(min=1e-10).log().view_as(logits), column_row, 2
    )
    dx = 0.5 * (around[..., 2, 3] - around[..., 2, 1])
    dy = 0.5 * (around[..., 3, 2] - around[..., 1, 2])
    twice = 2 * around[..., 2, 2]
    dxx = 0.25 * (around[..., 2, 4] - twice + around[..., 2, 0])
    dyy = 0.25 * (around[..., 4, 2] - twice + around[..., 0, 2])
    dxy = 0.25 * (
        around[..., 3, 3] - around[..., 1, 3] - around[..., 3, 1] + around[..., 1, 1]
    )
    determinant = dxx * dyy - dxy**2
    step = torch.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), -1)
    is_maximum = (determinant > 0) & (dxx < 0)
    inside = (distance_to_border(column_row, logits) >= 2).all(-1)
    step = step / torch.where(is_maximum, determinant, 1)[..., None]
    return torch.where((is_maximum & inside)[..., None], step, 0).clamp(-1, 1)
