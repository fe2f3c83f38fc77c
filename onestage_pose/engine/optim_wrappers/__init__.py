# Copyright (c) onestage_pose contributors.
"""Optimizer wrappers, registered in mmengine's OPTIM_WRAPPERS."""

from .bfloat16_optim_wrapper import Bfloat16OptimWrapper

__all__ = ['Bfloat16OptimWrapper']
