# Copyright (c) onestage_pose contributors.
from .global_context_module import GlobalContextModule, RelativePositionAttention

__all__ = [
    'GlobalContextModule',
    'RelativePositionAttention',
]
