# Copyright (c) onestage_pose contributors.
"""The half pixel between the two conventions for coordinates.

- **Continuous**: the first pixel covers 0 to 1, its centre is at 0.5. Boxes are always
  in it, keypoints are inside the model.
- **Pixel index**: the centre of the first pixel is at 0, as in COCO's annotations,
  in data samples, in predictions and in OpenCV.

All functions take NumPy arrays and tensors, of any shape, and keep their type.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

Coordinates = TypeVar('Coordinates', np.ndarray, Tensor)

#: Where the centre of the first pixel is in continuous coordinates.
PIXEL_CENTER = 0.5


def pixel_index_to_continuous(points: Coordinates) -> Coordinates:
    """Convert points (..., 2) from pixel indices to continuous coordinates.

    Integer tensors become float32, whatever torch's default dtype is.
    """
    if isinstance(points, Tensor) and not points.is_floating_point():
        points = points.float()
    return points + PIXEL_CENTER


def continuous_to_pixel_index(points: Coordinates) -> Coordinates:
    """Convert points (..., 2) from continuous coordinates to pixel indices."""
    return points - PIXEL_CENTER


def resize_pixel_index(points: Coordinates, scale_factor: Coordinates) -> Coordinates:
    """Scale points in pixel indices as an image is resized.

    In continuous coordinates, in which boxes are, resizing is a multiplication.

    Args:
        points (np.ndarray | Tensor): (..., 2) x, y in pixel indices.
        scale_factor (np.ndarray | Tensor): (2,) factors of the width and the height.

    Returns:
        np.ndarray | Tensor: (..., 2) ``(point + 0.5) * scale_factor - 0.5``.
    """
    return continuous_to_pixel_index(pixel_index_to_continuous(points) * scale_factor)


def bin_centers(bins: int, device: torch.device | None = None) -> Tensor:
    """Return the centres of pixels or bins in a row, in continuous coordinates.

    Args:
        bins (int): Number of pixels or bins.
        device (torch.device, optional): Of the result.

    Returns:
        Tensor: (bins,) float32: 0.5, 1.5 and so on.
    """
    return pixel_index_to_continuous(torch.arange(bins, device=device))
