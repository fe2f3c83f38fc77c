# Copyright (c) onestage_pose contributors.
"""Checkpoints of other programs, and back."""

from .convert import Conversion, convert_checkpoint
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
from .torchvision import from_torchvision, to_torchvision, write_torchvision

__all__ = [
    'Conversion',
    'DetectronNames',
    'Renamed',
    'check_against_config',
    'convert_checkpoint',
    'default_config',
    'from_detectron2',
    'from_torchvision',
    'read_detectron2',
    'read_mmpose',
    'read_movenet',
    'to_detectron2',
    'to_torchvision',
    'write_detectron2',
    'write_mmpose',
    'write_torchvision',
]
