# Copyright (c) onestage_pose contributors.
"""Running: checkpoints, resuming, several processes, checks of what was typed."""

from .bfloat16_optim_wrapper import Bfloat16OptimWrapper
from .checkpoint import (
    BrokenCheckpointError,
    CheckpointError,
    UnsafeCheckpointError,
    install,
)
from .checkpoint_check import CheckpointMismatchError, check_checkpoint
from .exact_resume_hook import ExactResumeHook
from .input_visualization_hook import InputVisualizationHook

__all__ = [
    'Bfloat16OptimWrapper',
    'BrokenCheckpointError',
    'CheckpointError',
    'CheckpointMismatchError',
    'ExactResumeHook',
    'InputVisualizationHook',
    'UnsafeCheckpointError',
    'check_checkpoint',
    'install',
]
