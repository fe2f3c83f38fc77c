# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from torch import Tensor

from ...structures.coordinates import pixel_index_to_continuous
from .grid import as_fraction, highest_bin, value_at_bin
from .options import DecoderOptions


def decode_argmax(
    logits: Tensor, sizes: Tensor, options: DecoderOptions
) -> tuple[Tensor, Tensor]:
    """Find the centre of the highest bin.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): Not used.
        options (DecoderOptions): Not used.

    Returns:
        tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box and the
        bin's logit (N, K).
    """
    column_row = highest_bin(logits)
    position = pixel_index_to_continuous(column_row)
    return as_fraction(position, logits), value_at_bin(logits, column_row)
