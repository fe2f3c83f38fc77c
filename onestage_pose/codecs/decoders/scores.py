# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from torch import Tensor

from .grid import gather_window, highest_bin, softmax_over_bins
from .options import DecoderOptions


def score_peak(
    logits: Tensor,
    sizes: Tensor,
    options: DecoderOptions,
    position: Tensor,
    peak: Tensor,
) -> Tensor:
    """Return the softmax of the logit at the position, over all bins.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): Not used.
        options (DecoderOptions): Not used.
        position (Tensor): Not used.
        peak (Tensor): (N, K), the logit at the position.

    Returns:
        Tensor: (N, K), above 0; may exceed 1 where ``peak`` is interpolated.
    """
    return (peak - logits.flatten(2).logsumexp(-1)).exp()


def score_window(
    logits: Tensor,
    sizes: Tensor,
    options: DecoderOptions,
    position: Tensor,
    peak: Tensor,
) -> Tensor:
    """Return the probability of the bins near the highest one.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): Not used.
        options (DecoderOptions): ``window``, the bins to every side.
        position (Tensor): Not used.
        peak (Tensor): Not used.

    Returns:
        Tensor: (N, K), from 0 to 1.
    """
    probability = softmax_over_bins(logits)
    window = gather_window(probability, highest_bin(probability), options.window)
    return window.flatten(2).sum(-1)
