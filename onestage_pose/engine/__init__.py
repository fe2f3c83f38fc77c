# Copyright (c) onestage_pose contributors.
"""Hooks and optimizer wrappers of a training."""

from .hooks import (
    ExactResumeHook,
    FiniteHook,
    InputVisualizationHook,
    PreemptionHook,
    SafeCheckpointHook,
)
from .optim_wrappers import Bfloat16OptimWrapper

__all__ = [
    'Bfloat16OptimWrapper',
    'ExactResumeHook',
    'FiniteHook',
    'InputVisualizationHook',
    'PreemptionHook',
    'SafeCheckpointHook',
]
