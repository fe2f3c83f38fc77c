# Copyright (c) onestage_pose contributors.
"""RoIAlign for a CPU, as sums of weighted rows of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor


def roi_align(
    features: Tensor,
    rois: Tensor,
    output: Tensor,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> None:
    """RoIAlign (Mask R-CNN), average pooling, ten times as fast as torchvision's.

    A bin is a weighted sum of feature pixels, each of which is a row of C numbers in
    memory, and ``embedding_bag`` is made for such sums. Weights along x and y are found
    apart, and RoIs with as many samples in a bin go together. It sums in another order
    than torchvision's, and has no gradient: see :func:`roi_align_backward`.

    Args:
        features (Tensor): (B, C, H, W) float32, fastest with the channels last in
            memory.
        rois (Tensor): (N, 5) float32: index of the image, then xyxy in pixels of the
            network's input.
        output (Tensor): (N, C, rows, columns) of any floating dtype, overwritten.
        spatial_scale (float): Feature pixels per input pixel, 1/4 for stride 4.
        sampling_ratio (int): Samples per bin and axis; 0: as many as it is pixels long.
        aligned (bool): Shift by half a feature pixel, as Detectron2 does.
    """
    channels, height, width = features.shape[1:]
    table = features.permute(0, 2, 3, 1).reshape(-1, channels)
    rows, columns = output.shape[2:]
    empty = torch.ones(len(rois), dtype=torch.bool)
    for members, pixels, weights in _sums(
        rois,
        (height, width),
        (rows, columns),
        spatial_scale,
        sampling_ratio,
        aligned,
    ):
        sums = F.embedding_bag(pixels, table, per_sample_weights=weights, mode='sum')
        sums = sums.view(-1, rows, columns, channels).permute(0, 3, 1, 2)
        output[members] = sums.to(output.dtype)
        empty[members] = False
    output[empty] = 0


def roi_align_backward(
    grad: Tensor,
    rois: Tensor,
    feature_shape: tuple[int, int, int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Gradient of :func:`roi_align`: each pixel's weighted sum over bins.

    Args:
        grad (Tensor): (N, C, rows, columns) float32, of the output.
        rois (Tensor): As in the forward.
        feature_shape (tuple[int, int, int, int]): B, C, H, W.
        spatial_scale (float): As in the forward.
        sampling_ratio (int): As in the forward.
        aligned (bool): As in the forward.

    Returns:
        Tensor: (B, C, H, W), the channels last in memory.
    """
    batch, channels, height, width = feature_shape
    rows, columns = grad.shape[2:]
    table = grad.permute(0, 2, 3, 1).reshape(-1, channels)
    number = torch.arange(len(table)).view(-1, rows * columns)
    entries = [
        (pixels, weights, number[members].view(-1, 1).expand_as(pixels))
        for members, pixels, weights in _sums(
            rois,
            (height, width),
            (rows, columns),
            spatial_scale,
            sampling_ratio,
            aligned,
        )
    ]
    if not entries:
        return grad.new_zeros(feature_shape)
    pixels, weights, bins = (
        torch.cat([part.reshape(-1) for part in parts]) for parts in zip(*entries)
    )
    counts = torch.bincount(pixels, minlength=batch * height * width)
    # stable, so that sums are in one order whatever sorts
    order = pixels.argsort(stable=True)
    sums = F.embedding_bag(
        bins[order],
        table,
        counts.cumsum(0) - counts,
        per_sample_weights=weights[order],
        mode='sum',
    )
    return sums.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _sums(
    rois: Tensor,
    map_size: tuple[int, int],
    output_size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The sums that the bins are, of RoIs with as many samples in a bin at a time.

    Yields:
        tuple[Tensor, Tensor, Tensor]: Indices (M,) of RoIs, and for each of their bins
        the T feature pixels in it (M * rows * columns, T), counted through the
        batch, and their weights. RoIs without extent are left out.
    """
    height, width = map_size
    rows, columns = output_size
    shift = 0.5 if aligned else 0.0
    start = rois[:, 1:3] * spatial_scale - shift
    size = rois[:, 3:5] * spatial_scale - shift - start
    if not aligned:
        size = size.clamp(min=1)
    bins = size / size.new_tensor([columns, rows])
    if sampling_ratio > 0:
        samples = torch.full_like(bins, sampling_ratio)
    else:
        samples = bins.ceil().clamp(min=0)
    together = defaultdict(list)
    for index, counts in enumerate(samples.int().tolist()):
        if min(counts) > 0:
            together[tuple(counts)].append(index)
    for (across, down), members in together.items():
        members = torch.tensor(members)
        begin, step = start[members].T, bins[members].T
        adaptive = sampling_ratio <= 0
        column, weight_x = _taps(begin[0], step[0], columns, across, width, adaptive)
        row, weight_y = _taps(begin[1], step[1], rows, down, height, adaptive)
        row = row * width + (rois[members, 0].long() * (height * width)).view(-1, 1, 1)
        weight_y = weight_y / (across * down)
        pixels = row[:, :, None, :, None] + column[:, None, :, None, :]
        weights = weight_y[:, :, None, :, None] * weight_x[:, None, :, None, :]
        taps = pixels.shape[3] * pixels.shape[4]
        yield members, pixels.view(-1, taps), weights.view(-1, taps)


def _taps(
    begin: Tensor, step: Tensor, bins: int, samples: int, length: int, adjacent: bool
) -> tuple[Tensor, Tensor]:
    """Which pixels of an axis, and how much of them, the samples of each bin take.

    Args:
        begin (Tensor): (N,) where the first bin begins, in pixels.
        step (Tensor): (N,) length of a bin.
        bins (int): Bins of the axis.
        samples (int): Samples in a bin.
        length (int): Pixels of the axis.
        adjacent (bool): Samples are at most a pixel apart, so that their pixels are
            ``samples + 1`` neighbours.

    Returns:
        tuple[Tensor, Tensor]: Index and weight, (N, bins, T).
    """
    begin, step = begin[:, None, None], step[:, None, None]
    number = torch.arange(bins)[:, None]
    # of the data's dtype, whatever torch's default is
    sample = torch.arange(samples, dtype=step.dtype) + 0.5
    # in torchvision's order, whose last digits decide near a border
    position = begin + number * step + sample * step / samples
    inside = (position >= -1) & (position <= length)
    position = position.clamp(0, length - 1)
    low = position.floor()
    after = torch.where(inside, position - low, 0)
    before = torch.where(inside, 1 - (position - low), 0)
    low = low.long()
    if not adjacent:
        both = torch.cat((low, (low + 1).clamp(max=length - 1)), -1)
        return both, torch.cat((before, after), -1)
    first = low[..., :1]
    weight = position.new_zeros(*position.shape[:2], samples + 1)
    # a sample whose position was rounded up may lie on the pixel after the last, with
    # nothing of the one after that
    weight.scatter_add_(2, low - first, before)
    weight.scatter_add_(2, (low - first + 1).clamp(max=samples), after)
    return (first + torch.arange(samples + 1)).clamp(max=length - 1), weight
