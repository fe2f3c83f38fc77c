# Copyright (c) onestage_pose contributors.
"""Optimizers and their wrappers, registered in mmengine's registries of these."""

from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .relative_adamw import RelativeAdamW

__all__ = ['Bfloat16OptimWrapper', 'RelativeAdamW']
