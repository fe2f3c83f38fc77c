# Copyright (c) onestage_pose contributors.
"""Hooks, optimizers and their wrappers of a training."""

from .hooks import (
    DataCheckHook,
    ExactResumeHook,
    FiniteHook,
    InputVisualizationHook,
    PreemptionHook,
    SafeCheckpointHook,
    SkeletonCheckHook,
    WatchdogHook,
)
from .optim_wrappers import Bfloat16OptimWrapper, RelativeAdamW

__all__ = [
    'Bfloat16OptimWrapper',
    'DataCheckHook',
    'ExactResumeHook',
    'FiniteHook',
    'InputVisualizationHook',
    'PreemptionHook',
    'RelativeAdamW',
    'SafeCheckpointHook',
    'SkeletonCheckHook',
    'WatchdogHook',
]
