# Copyright (c) onestage_pose contributors.
"""Checkpoints of other programs, and back."""

from .conversion_error import ConversionError
from .detectron2_config import check_against_config, default_config
from .detectron2_file import read_detectron2, write_detectron2
from .detectron2_names import DetectronNames
from .detectron2_weights import Renamed, from_detectron2, to_detectron2
from .mmpose_file import read_mmpose, write_mmpose

__all__ = [
    'ConversionError',
    'DetectronNames',
    'Renamed',
    'check_against_config',
    'default_config',
    'from_detectron2',
    'read_detectron2',
    'read_mmpose',
    'to_detectron2',
    'write_detectron2',
    'write_mmpose',
]
