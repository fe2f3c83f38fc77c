# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .free_threads import run_by_free_threads
from .replace import as_subclass

#: Blocks for each thread from which on free threads take them one by one.
FREE_BLOCKS = 2

# Of Winograd's algorithm for a 3x3 kernel (arXiv 1509.09308), by the side of the output
# tile: what transforms the rows of an input tile, of the kernel and of an output tile.
TRANSFORMS = {
    2: (
        [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
        [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
        [[1, 1, 1, 0], [0, 1, -1, -1]],
    ),
    4: (
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ],
        [
            [1 / 4, 0, 0],
            [-1 / 6, -1 / 6, -1 / 6],
            [-1 / 6, 1 / 6, -1 / 6],
            [1 / 24, 1 / 12, 1 / 6],
            [1 / 24, -1 / 12, 1 / 6],
            [0, 0, 1],
        ],
        [
            [1, 1, 1, 1, 1, 0],
            [0, 1, -1, 2, -2, 0],
            [0, 1, 1, 4, 4, 0],
            [0, 1, -1, 8, -8, 1],
        ],
    ),
}


class WinogradConv2d(nn.Conv2d):
    """A 3x3 convolution that uses Winograd's algorithm in prediction.

    In float32 on a CPU without gradients, and if it is large enough to benefit, it
    works on tiles of 2x2 or 4x4 output pixels, with 4/9 or 1/4 of the multiplications;
    in all other cases it is a plain ``nn.Conv2d``. The result differs by a
    hundred-thousandth of its standard deviation, as much as the direct convolution in
    float32 itself does from one in float64.
    """

    # floats that a block of transformed tiles holds, to stay in a CPU's cache
    BLOCK = 2**21
    MIN_CHANNELS = 128
    # numbers of the input, of three people's maps in the keypoint head for example
    MIN_NUMEL = 2**18

    @staticmethod
    def suits(conv: nn.Module) -> bool:
        """Return whether a module is a 3x3 convolution with enough channels."""
        return (
            type(conv) is nn.Conv2d
            and conv.kernel_size == (3, 3)
            and conv.stride == conv.padding == conv.dilation == (1, 1)
            and conv.groups == 1
            and conv.padding_mode == 'zeros'
            and min(conv.in_channels, conv.out_channels) >= WinogradConv2d.MIN_CHANNELS
        )

    @classmethod
    def convert(cls, model: nn.Module) -> None:
        """Replace every suitable convolution of a model by one of this class, in place.

        Parameters and their names stay as they are.
        """
        made: dict[nn.Module, nn.Module] = {}
        for parent in list(model.modules()):
            for name, child in list(parent._modules.items()):
                if child in made or cls.suits(child):
                    # once for all places that share a convolution
                    made.setdefault(child, as_subclass(child, cls))
                    setattr(parent, name, made[child])

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None):
        # what nn.Conv2d calls with its own weights, and others with theirs
        if not self._pays(input):
            return super()._conv_forward(input, weight, bias)
        # the large kernels of 4x4 tiles cost more than they save on small maps
        tile = 4 if weight.numel() <= 9 * 256**2 else 2
        return winograd_conv(input, weight, bias, tile, self.BLOCK)

    def _pays(self, x: Tensor) -> bool:
        is_plain = x.dtype == torch.float32 == self.weight.dtype and x.dim() == 4
        return (
            is_plain
            and x.device.type == 'cpu'
            and x.numel() >= self.MIN_NUMEL
            and not torch.is_grad_enabled()
            and not torch.is_autocast_enabled('cpu')
            and not torch.jit.is_tracing()
        )


def winograd_conv(
    x: Tensor, weight: Tensor, bias: Tensor | None, tile: int, block: int = 2**21
) -> Tensor:
    """``F.conv2d(x, weight, bias, padding=1)`` by Winograd's algorithm.

    Args:
        x (Tensor): (N, C, H, W) float32, fastest with the channels last in memory.
        weight (Tensor): (K, C, 3, 3).
        bias (Tensor, optional): (K,).
        tile (int): Output pixels of a tile's side, 2 or 4.
        block (int): Floats that the transformed tiles of a block hold at most,
            unless a row of tiles holds more. Several threads take the blocks in turn
            (:func:`run_by_free_threads`) if there are enough for all.

    Returns:
        Tensor: (N, K, H, W), the channels last in memory.
    """
    num, channels, height, width = x.shape
    out_channels = weight.shape[0]
    side = tile + 2
    into, kernel, back = (
        torch.kron(matrix, matrix) for matrix in map(x.new_tensor, TRANSFORMS[tile])
    )
    kernels = (kernel @ weight.reshape(-1, 9).t()).view(side**2, out_channels, -1).mT
    down, across = -(-height // tile), -(-width // tile)
    most = max(1, block // (side**2 * max(channels, out_channels)))
    rows = min(down, max(1, most // across))
    images = max(1, most // (rows * across))
    x = x.permute(0, 2, 3, 1)
    out = x.new_empty(num, down * tile, across * tile, out_channels)

    def compute(first: int, top: int) -> None:
        bottom = min(down, top + rows)
        above, below = tile * top - 1, tile * bottom + 1
        part = x[first : first + images, max(above, 0) : min(below, height)]
        margin = (1, tile * across + 1 - width, -min(above, 0))
        part = F.pad(part, (0, 0, *margin, max(below - height, 0)))
        shape = (len(part), bottom - top, across)
        image, row, column, _ = part.stride()
        tiles = part.as_strided(
            (side, side, *shape, channels),
            (row, column, image, tile * row, tile * column, 1),
        )
        tiles = into @ tiles.reshape(side**2, -1)
        made = torch.bmm(tiles.view(side**2, -1, channels), kernels)
        made = back @ made.view(side**2, -1)
        made = made.view(tile, tile, *shape, out_channels).permute(2, 3, 0, 4, 1, 5)
        place = out[first : first + images, tile * top : tile * bottom]
        place = place.view(shape[0], shape[1], tile, across, tile, out_channels)
        if bias is None:
            place.copy_(made)
        else:
            torch.add(made, bias, out=place)

    blocks = list(product(range(0, num, images), range(0, down, rows)))
    threads = torch.get_num_threads()
    if threads > 1 and len(blocks) >= FREE_BLOCKS * threads:
        run_by_free_threads(compute, blocks)
    else:
        for each in blocks:
            compute(*each)
    out = out[:, :height, :width].permute(0, 3, 1, 2)
    return out.contiguous(memory_format=torch.channels_last)
