# Copyright (c) onestage_pose contributors.
"""Positions on the grid of bins, for the decoders."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def grid_size(maps: Tensor) -> tuple[int, int]:
    """Return the bins [W, H] of maps (N, K, H, W), as constants of a traced graph."""
    return int(maps.shape[-1]), int(maps.shape[-2])


def softmax_over_bins(logits: Tensor) -> Tensor:
    """Return the distribution over the bins of logits (N, K, H, W), same shape."""
    return logits.flatten(2).softmax(-1).view_as(logits)


def highest_bin(maps: Tensor) -> Tensor:
    """Find the bin with the highest value of each map.

    Args:
        maps (Tensor): (N, K, H, W).

    Returns:
        Tensor: (N, K, 2) int64, column and row; the first where several are as high.
    """
    width, _ = grid_size(maps)
    index = maps.flatten(2).argmax(-1)
    return torch.stack((index % width, index // width), -1)


def value_at_bin(maps: Tensor, column_row: Tensor) -> Tensor:
    """Return the values (N, K) of maps (N, K, H, W) in bins (N, K, 2) int64."""
    width, _ = grid_size(maps)
    index = column_row[..., 1] * width + column_row[..., 0]
    return maps.flatten(2).gather(2, index[..., None])[..., 0]


def as_fraction(position: Tensor, maps: Tensor) -> Tensor:
    """Return positions (N, K, 2) in bins of ``maps`` as fractions of the box."""
    return position / position.new_tensor(grid_size(maps))


def distance_to_border(column_row: Tensor, maps: Tensor) -> Tensor:
    """Return the bins between bins (N, K, 2) and the nearer border, in x and in y."""
    last = column_row.new_tensor(grid_size(maps)) - 1
    return torch.minimum(column_row, last - column_row)


def gather_window(maps: Tensor, column_row: Tensor, reach: int) -> Tensor:
    """Return the values around one bin of each map; 0 outside the map.

    Args:
        maps (Tensor): (N, K, H, W).
        column_row (Tensor): (N, K, 2) int64.
        reach (int): Bins to every side.

    Returns:
        Tensor: (N, K, 2 * reach + 1, 2 * reach + 1), rows first.
    """
    padded = F.pad(maps, (reach,) * 4)
    offset = torch.arange(2 * reach + 1, device=maps.device)
    index = (column_row[..., 1, None, None] + offset[:, None]) * padded.shape[-1]
    index = index + column_row[..., 0, None, None] + offset
    values = padded.flatten(2).gather(2, index.flatten(2))
    return values.view_as(index)
