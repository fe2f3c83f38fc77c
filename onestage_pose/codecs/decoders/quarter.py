# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from torch import Tensor

from ...structures.coordinates import pixel_index_to_continuous
from .grid import (
    as_fraction,
    distance_to_border,
    gather_window,
    highest_bin,
    value_at_bin,
)
from .options import DecoderOptions


def decode_quarter(
    logits: Tensor, sizes: Tensor, options: DecoderOptions
) -> tuple[Tensor, Tensor]:
    """Find the highest bin, moved a quarter of a bin towards its higher neighbour.

    In x and in y by themselves, as in Stacked Hourglass (arXiv 1603.06937).

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): Not used.
        options (DecoderOptions): Not used.

    Returns:
        tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box and the
        highest bin's logit (N, K).
    """
    column_row = highest_bin(logits)
    position = pixel_index_to_continuous(column_row)
    position = position + quarter_offset(logits, column_row)
    return as_fraction(position, logits), value_at_bin(logits, column_row)


def quarter_offset(logits: Tensor, column_row: Tensor) -> Tensor:
    """Return a quarter of a bin towards the higher neighbour; 0 at the border.

    Args:
        logits (Tensor): (N, K, H, W).
        column_row (Tensor): (N, K, 2) int64.

    Returns:
        Tensor: (N, K, 2), in bins.
    """
    around = gather_window(logits, column_row, 1)
    slope = torch.stack(
        (
            around[..., 1, 2] - around[..., 1, 0],
            around[..., 2, 1] - around[..., 0, 1],
        ),
        -1,
    )
    inside = distance_to_border(column_row, logits) >= 1
    return 0.25 * slope.sign() * inside
