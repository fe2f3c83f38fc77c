# Copyright (c) onestage_pose contributors.
"""Running: checkpoints, resuming, several processes, checks of what was typed."""

from .atomic_backend import AtomicBackend, SaveError
from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .checkpoint import (
    BrokenCheckpointError,
    CheckpointError,
    UnsafeCheckpointError,
    install,
)
from .checkpoint_check import CheckpointMismatchError, check_checkpoint
from .exact_resume_hook import ExactResumeHook
from .finite_hook import FiniteHook, NonFiniteError
from .input_visualization_hook import InputVisualizationHook
from .newest_checkpoint import find_newest_checkpoint
from .preemption_hook import PreemptedError, PreemptionHook
from .safe_checkpoint_hook import SafeCheckpointHook

__all__ = [
    'AtomicBackend',
    'Bfloat16OptimWrapper',
    'BrokenCheckpointError',
    'CheckpointError',
    'CheckpointMismatchError',
    'ExactResumeHook',
    'FiniteHook',
    'InputVisualizationHook',
    'NonFiniteError',
    'PreemptedError',
    'PreemptionHook',
    'SafeCheckpointHook',
    'SaveError',
    'UnsafeCheckpointError',
    'check_checkpoint',
    'find_newest_checkpoint',
    'install',
]
