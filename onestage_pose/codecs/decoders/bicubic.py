# Copyright (c) onestage_pose contributors.
"""The maximum of logits upsampled to the box's size in pixels."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ...structures.coordinates import pixel_index_to_continuous, resize_pixel_index
from .options import DecoderOptions

# logits that are held upsampled at once: 256 MiB on a GPU, whose every batch is thirty
# kernels, and as many as a CPU keeps in its cache
MAX_UPSAMPLED = dict(cpu=2**20, other=2**26)


def decode_bicubic(
    logits: Tensor, sizes: Tensor, options: DecoderOptions
) -> tuple[Tensor, Tensor]:
    """Find the maximum of the logits after bicubic upsampling to the box's pixels.

    As Detectron2 and the released program of arXiv 2301.04842 do. Instances of similar
    size share a batch: upsampling is two matrix products, padded to the largest of the
    batch. A traced graph has a loop over the instances instead.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        sizes (Tensor): (N, 2), widths and heights of the boxes in pixels, rounded up.
        options (DecoderOptions): Not used.

    Returns:
        tuple[Tensor, Tensor]: Position (N, K, 2) as a fraction of the box, at a pixel's
        centre, and the upsampled logit there (N, K).
    """
    pixels = sizes.ceil().long()
    if torch.jit.is_tracing():
        return trace_bicubic_maximum(logits, pixels)
    num, num_keypoints = logits.shape[:2]
    position = logits.new_zeros(num, num_keypoints, 2)
    peak = logits.new_zeros(num, num_keypoints)
    order = pixels.prod(-1).argsort()
    sorted_sizes = pixels[order].tolist()
    most = MAX_UPSAMPLED['cpu' if logits.device.type == 'cpu' else 'other']
    start = 0
    while start < num:
        stop, width, height = start, 0, 0
        while stop < num:
            wider = max(width, sorted_sizes[stop][0])
            higher = max(height, sorted_sizes[stop][1])
            held = (stop + 1 - start) * num_keypoints * wider * higher
            if stop > start and held > most:
                break
            stop, width, height = stop + 1, wider, higher
        batch = order[start:stop]
        position[batch], peak[batch] = bicubic_maximum(
            logits[batch], pixels[batch], width, height
        )
        start = stop
    return position, peak


def bicubic_maximum(
    logits: Tensor, pixels: Tensor, width: int, height: int
) -> tuple[Tensor, Tensor]:
    """Find the maximum of a batch, all padded to ``width`` x ``height``.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        pixels (Tensor): (N, 2) int64, width and height to upsample to.
        width (int): The largest width.
        height (int): The largest height.

    Returns:
        tuple[Tensor, Tensor]: As :func:`decode_bicubic`.
    """
    across = bicubic_weights(logits.shape[-1], pixels[:, 0], width)
    down = bicubic_weights(logits.shape[-2], pixels[:, 1], height)
    upsampled = down[:, None] @ (logits @ across[:, None].mT)
    # the highest row first: a maximum without its index is found faster
    row = upsampled.amax(-1).argmax(-1, keepdim=True)
    columns = upsampled.take_along_dim(row[..., None], 2)[:, :, 0]
    column = columns.argmax(-1, keepdim=True)
    peak = columns.gather(-1, column)[..., 0]
    # what is padded repeats an instance's last row and column
    column_row = torch.cat((column, row), -1).minimum(pixels[:, None] - 1)
    return pixel_index_to_continuous(column_row) / pixels[:, None], peak


def cubic_inner(distance: Tensor) -> Tensor:
    """Return the weights of cubic convolution, a = -0.75, at distances below 1."""
    a = -0.75
    return ((a + 2) * distance - (a + 3)) * distance * distance + 1


def cubic_outer(distance: Tensor) -> Tensor:
    """Return the weights of cubic convolution, a = -0.75, at distances from 1 to 2."""
    a = -0.75
    return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a


def bicubic_weights(bins: int, sizes: Tensor, padded_size: int) -> Tensor:
    """Return matrices that upsample one axis as ``F.interpolate(mode='bicubic')``.

    ``align_corners=False``, border bins repeated.

    Args:
        bins (int): Length of the axis before.
        sizes (Tensor): (N,) int64, length of the axis after, of each instance.
        padded_size (int): Rows of the matrices, at least the largest size.

    Returns:
        Tensor: (N, padded_size, bins) float32; rows past an instance's size repeat
        the last one.
    """
    target = torch.arange(padded_size, device=sizes.device).minimum(sizes[:, None] - 1)
    source = resize_pixel_index(target, (bins / sizes.float())[:, None])
    first = source.floor()
    t = (source - first)[..., None]
    near = torch.cat((t, 1 - t), -1)
    far = cubic_outer(near + 1)
    taps = torch.cat((far[..., :1], cubic_inner(near), far[..., 1:]), -1)
    index = first.long()[..., None] + torch.arange(-1, 3, device=sizes.device)
    weights = taps.new_zeros(len(sizes), padded_size, bins)
    return weights.scatter_add_(-1, index.clamp(0, bins - 1), taps)


def trace_bicubic_maximum(logits: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Find the maximum with sizes and numbers that a traced graph does not fix.

    Args:
        logits (Tensor): (N, K, H, W) float32.
        pixels (Tensor): (N, 2) int64, width and height to upsample to.

    Returns:
        tuple[Tensor, Tensor]: As :func:`decode_bicubic`.
    """
    padded = F.pad(logits, (2, 2, 2, 2), mode='replicate')
    none = logits.new_zeros(0, logits.shape[1], 3)
    found = _compiled_maximum()(padded, pixels, none)
    return found[..., :2], found[..., 2]


@functools.cache
def _compiled_maximum() -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    # PyTorch 2.15 calls this deprecated. Nothing else keeps a loop in a traced graph.
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', FutureWarning)
        return torch.jit.script(_maximum_of_each)


def _weights_of_padded(bins: int, size: Tensor) -> Tensor:
    """Return (size, bins) weights; the outer two bins of each side are padding."""
    # the half pixel is spelt out: TorchScript compiles this function
    target = torch.arange(int(size), device=size.device).to(torch.float32) + 0.5
    source = target * ((bins - 4) / size.to(torch.float32)) + 1.5
    place = torch.arange(bins, device=size.device).to(torch.float32)
    distance = (source[:, None] - place[None]).abs()
    weights = torch.where(distance < 1, cubic_inner(distance), cubic_outer(distance))
    return torch.where(distance < 2, weights, torch.zeros_like(weights))


def _maximum_of_each(logits: Tensor, pixels: Tensor, found: Tensor) -> Tensor:
    """Return (N, K, 3) position and logit of each maximum, below the rows in ``found``.

    A loop over the instances in the graph, each as large as it is.
    """
    for n in range(logits.shape[0]):
        width, height = pixels[n, 0], pixels[n, 1]
        across = _weights_of_padded(logits.shape[3], width)
        down = _weights_of_padded(logits.shape[2], height)
        upsampled = torch.matmul(down, torch.matmul(logits[n], across.t()))
        peak, index = upsampled.flatten(1).max(dim=-1)
        row = torch.div(index, width, rounding_mode='floor')
        column = index - row * width
        position = (torch.stack((column, row), -1) + 0.5) / pixels[n]
        instance = torch.cat((position, peak[:, None]), -1)
        found = torch.cat((found, instance[None]), 0)
    return found
