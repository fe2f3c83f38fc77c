# Copyright (c) onestage_pose contributors.
from .folded_norm import fold_norms
from .global_context_module import GlobalContextModule, RelativePositionAttention
from .winograd_conv import WinogradConv2d

__all__ = [
    'GlobalContextModule',
    'RelativePositionAttention',
    'WinogradConv2d',
    'fold_norms',
]
