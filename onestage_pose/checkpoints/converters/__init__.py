# Copyright (c) onestage_pose contributors.
"""Checkpoints of other programs, and back."""

from .detectron2 import (
    DetectronNames,
    Renamed,
    check_against_config,
    default_config,
    from_detectron2,
    read_detectron2,
    to_detectron2,
    write_detectron2,
)
from .mmpose_file import read_mmpose, write_mmpose
from .movenet import read_movenet

__all__ = [
    'DetectronNames',
    'Renamed',
    'check_against_config',
    'default_config',
    'from_detectron2',
    'read_detectron2',
    'read_mmpose',
    'read_movenet',
    'to_detectron2',
    'write_detectron2',
    'write_mmpose',
]
