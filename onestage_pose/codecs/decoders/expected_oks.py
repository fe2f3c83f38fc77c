# Copyright (c) onestage_pose contributors.
"""Position and score by the object keypoint similarity (OKS) to be expected.

OKS is ``exp(-d^2 / (2 area (2 sigma)^2))`` of a keypoint that is d pixels off. Its
expectation over the predicted distribution is that distribution blurred by a Gaussian,
whose standard deviation is called the tolerance here (ProbPose, arXiv 2412.02254).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...structures.coordinates import bin_centers, pixel_index_to_continuous
from ...structures.metainfo import load_sigmas
from .grid import as_fraction, grid_size, highest_bin, softmax_over_bins, value_at_bin
from .options import DecoderOptions

# two leave a thousandth of a bin
NEWTON_STEPS = 2


def decode_expected_oks(
    logits: Tensor, sizes: Tensor, options: DecoderOptions
) -> tuple[Tensor, Tensor]:
    """Find the position that maximises the expected OKS.

    The best bin's centre, then between the bins by Newton's method.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): (N, 2), widths and heights of the boxes in pixels.
        options (DecoderOptions): ``sigmas`` and ``area_ratio``.

    Returns:
        tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box and the
        best bin's logit (N, K).

    Raises:
        ValueError: If there are other than K sigmas.
    """
    probability = softmax_over_bins(logits)
    tolerance = oks_tolerance(logits, sizes, options.sigmas, options.area_ratio)
    column_row = highest_bin(expected_oks_of_bins(probability, tolerance))
    start = pixel_index_to_continuous(column_row)
    position = newton_ascent(probability, tolerance, start)
    return as_fraction(position, logits), value_at_bin(logits, column_row)


def score_expected_oks(
    logits: Tensor,
    sizes: Tensor,
    options: DecoderOptions,
    position: Tensor,
    peak: Tensor,
) -> Tensor:
    """Return the OKS to be expected at the position.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): (N, 2), widths and heights of the boxes in pixels.
        options (DecoderOptions): ``sigmas`` and ``area_ratio``.
        position (Tensor): (N, K, 2) as a fraction of the box.
        peak (Tensor): Not used.

    Returns:
        Tensor: (N, K), from 0 to 1.

    Raises:
        ValueError: If there are other than K sigmas.
    """
    tolerance = oks_tolerance(logits, sizes, options.sigmas, options.area_ratio)
    in_bins = position * position.new_tensor(grid_size(logits))
    across, down = (
        oks_along_axis(in_bins[..., axis, None], tolerance[..., axis], bins)[..., 0, :]
        for axis, bins in enumerate(grid_size(logits))
    )
    probability = softmax_over_bins(logits)
    return (down * (probability @ across[..., None])[..., 0]).sum(-1)


def oks_tolerance(
    logits: Tensor,
    sizes: Tensor,
    sigmas: Sequence[float] | None,
    area_ratio: float,
) -> Tensor:
    """Return the standard deviations of OKS, in bins across and down.

    Args:
        logits (Tensor): (N, K, H, W); only the shape counts.
        sizes (Tensor): (N, 2), widths and heights of the boxes in pixels.
        sigmas (Sequence[float], optional): (K,). By default COCO's.
        area_ratio (float): An instance's area over that of its box.

    Returns:
        Tensor: (N, K, 2).

    Raises:
        ValueError: If there are other than K sigmas.
    """
    sigmas = load_sigmas() if sigmas is None else sigmas
    if logits.shape[1] != len(sigmas):
        raise ValueError(
            f"RoIHeatmap: 'expected_oks' needs sigmas of the {logits.shape[1]} "
            f'keypoints, got {len(sigmas)}.'
        )
    pixels = (area_ratio * sizes.prod(-1)).sqrt()
    pixels = pixels[:, None] * 2 * sizes.new_tensor(sigmas)
    bins = sizes.new_tensor(grid_size(logits)) / sizes
    return pixels[..., None] * bins[:, None]


def gaussian(squared_distance: Tensor) -> Tensor:
    """Return OKS by the squared distance in tolerances, of any shape."""
    return (-0.5 * squared_distance).exp()


def oks_along_axis(position: Tensor, tolerance: Tensor, bins: int) -> Tensor:
    """Return OKS of positions, were the keypoint in each bin, along one axis.

    Args:
        position (Tensor): (..., M), in bins.
        tolerance (Tensor): (...), in bins.
        bins (int): How many there are along the axis.

    Returns:
        Tensor: (..., M, bins); the product of both axes' is OKS.
    """
    distance = bin_centers(bins, position.device) - position[..., None]
    return gaussian((distance / tolerance[..., None, None]) ** 2)


def expected_oks_of_bins(probability: Tensor, tolerance: Tensor) -> Tensor:
    """Return the OKS to be expected at the centre of each bin.

    Args:
        probability (Tensor): (N, K, H, W), which sum to 1 over the bins.
        tolerance (Tensor): (N, K, 2), in bins.

    Returns:
        Tensor: (N, K, H, W).
    """
    across, down = (
        oks_along_axis(bin_centers(bins, tolerance.device), tolerance[..., axis], bins)
        for axis, bins in enumerate(grid_size(probability))
    )
    return down @ (probability @ across)


def newton_ascent(probability: Tensor, tolerance: Tensor, start: Tensor) -> Tensor:
    """Climb from a position to the nearest maximum of the expected OKS.

    By Newton's method on its logarithm, in x and in y by themselves; where the surface
    is not curved downwards, it stays.

    Args:
        probability (Tensor): (N, K, H, W), which sum to 1 over the bins.
        tolerance (Tensor): (N, K, 2), in bins.
        start (Tensor): (N, K, 2), in bins.

    Returns:
        Tensor: (N, K, 2) in bins, at most one from ``start`` and inside the box.
    """
    variance = tolerance.square()
    far_corner = start.new_tensor(grid_size(probability))
    position = start
    for _ in range(NEWTON_STEPS):
        kernels = []
        for axis, bins in enumerate(grid_size(probability)):
            distance = bin_centers(bins, start.device) - position[..., axis, None]
            spread = variance[..., axis, None]
            weight = gaussian(distance**2 / spread)
            slope = distance / spread
            kernels.append(
                torch.stack(
                    (weight, weight * slope, weight * (slope**2 - 1 / spread)), -2
                )
            )
        across, down = kernels
        # sums over the bins with the kernel or a derivative of it down and across
        sums = down @ (probability @ across.transpose(-2, -1))
        value = sums[..., 0, 0, None].clamp(min=1e-30)
        first = torch.stack((sums[..., 0, 1], sums[..., 1, 0]), -1) / value
        second = torch.stack((sums[..., 0, 2], sums[..., 2, 0]), -1) / value
        bend = first**2 - second
        step = first / torch.where(bend > 0, bend, 1)
        position = position + torch.where(bend > 0, step, 0).clamp(-0.5, 0.5)
        position = torch.minimum(position.clamp(min=0), far_corner)
        position = torch.maximum(torch.minimum(position, start + 1), start - 1)
    return position
