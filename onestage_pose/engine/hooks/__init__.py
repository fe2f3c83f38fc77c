# Copyright (c) onestage_pose contributors.
"""Training hooks, registered in mmpose's HOOKS."""

from .data_check_hook import DataCheckHook
from .exact_resume_hook import ExactResumeHook
from .finite_hook import FiniteHook
from .input_visualization_hook import InputVisualizationHook
from .preemption_hook import PreemptionHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .skeleton_check_hook import SkeletonCheckHook
from .train_only_hook import TrainOnlyHook
from .watchdog_hook import WatchdogHook

__all__ = [
    'DataCheckHook',
    'ExactResumeHook',
    'FiniteHook',
    'InputVisualizationHook',
    'PreemptionHook',
    'SafeCheckpointHook',
    'SkeletonCheckHook',
    'TrainOnlyHook',
    'WatchdogHook',
]
