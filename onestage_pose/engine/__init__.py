# Copyright (c) onestage_pose contributors.
"""Hooks and optimizer wrappers of a training."""

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
from .optim_wrappers import Bfloat16OptimWrapper

__all__ = [
    'Bfloat16OptimWrapper',
    'DataCheckHook',
    'ExactResumeHook',
    'FiniteHook',
    'InputVisualizationHook',
    'PreemptionHook',
    'SafeCheckpointHook',
    'SkeletonCheckHook',
    'WatchdogHook',
]
