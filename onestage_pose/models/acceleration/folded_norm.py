# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from mmdet.models.layers import FrozenBatchNorm2d
from mmengine.model.efficient_conv_bn_eval import efficient_conv_bn_eval_forward
from torch import Tensor, nn

from .replace import as_subclass
from .winograd_conv import WinogradConv2d


def fold_norms(model: nn.Module) -> None:
    """Fold frozen batch norm into the preceding convolutions, in place.

    On a CPU without gradients, the weights are scaled instead of the maps (arXiv
    2305.11624), anew in each call, so that changed weights are used. Otherwise nothing
    changes: gradients depend on the order of operations, and a GPU has not been
    measured. Parameters and buffers keep their names. A hook on such a convolution sees
    normalised maps, and a norm can only be replaced together with its convolution.

    Args:
        model (nn.Module): A model whose children are listed in the order in which they
            run, such as mmdet's ResNet and its blocks.
    """
    for parent in list(model.modules()):
        conv_name, conv = '', None
        for name, child in list(parent.named_children()):
            if type(child) is FrozenBatchNorm2d and type(conv) in FOLDING:
                norm = as_subclass(child, FoldedNorm)
                folding = as_subclass(conv, FOLDING[type(conv)])
                # not as a child, whose parameters it would have too
                folding.__dict__['norm'] = norm
                setattr(parent, conv_name, folding)
                setattr(parent, name, norm)
            conv_name, conv = name, child


class FoldedNorm(FrozenBatchNorm2d):
    """mmdet's frozen batch norm, computed by the preceding convolution if possible."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return x if _can_fold(x) else super().forward(x)


class FoldingConv2d(nn.Conv2d):
    """A convolution that also applies the :class:`FoldedNorm` after it, ``norm``."""

    norm: FoldedNorm

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H', W')."""
        if _can_fold(x):
            return efficient_conv_bn_eval_forward(self.norm, self, x)
        return super().forward(x)


class FoldingWinogradConv2d(FoldingConv2d, WinogradConv2d):
    """A convolution that norms its output and computes by Winograd's algorithm."""


FOLDING = {nn.Conv2d: FoldingConv2d, WinogradConv2d: FoldingWinogradConv2d}


def _can_fold(x: Tensor) -> bool:
    return (
        x.device.type == 'cpu'
        and not torch.is_grad_enabled()
        and not torch.jit.is_tracing()
    )
