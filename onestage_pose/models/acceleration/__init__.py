# Copyright (c) onestage_pose contributors.
"""Optional accelerations: the same numbers in less time or memory."""

from .accelerate import accelerate, use_channels_last
from .compiled import compile_dense_parts
from .float32_outputs import register_float32_outputs
from .folded_norm import FoldedNorm, FoldingConv2d, fold_norms
from .winograd_conv import WinogradConv2d

__all__ = [
    'FoldedNorm',
    'FoldingConv2d',
    'WinogradConv2d',
    'accelerate',
    'compile_dense_parts',
    'fold_norms',
    'register_float32_outputs',
    'use_channels_last',
]
