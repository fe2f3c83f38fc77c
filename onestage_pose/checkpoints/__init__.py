# Copyright (c) onestage_pose contributors.
"""Checkpoints: safe reading, atomic writing, checks, the latest one, conversion."""

from .atomic import AtomicBackend
from .check import check_checkpoint
from .latest import find_newest_checkpoint
from .loading import load_from_local

__all__ = [
    'AtomicBackend',
    'check_checkpoint',
    'find_newest_checkpoint',
    'load_from_local',
]
