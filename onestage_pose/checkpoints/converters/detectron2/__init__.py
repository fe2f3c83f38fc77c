# Copyright (c) onestage_pose contributors.
"""Detectron2's checkpoints: names, shapes, files and the config that fits them."""

from .config import check_against_config, default_config
from .file import read_detectron2, write_detectron2
from .names import DetectronNames
from .weights import Renamed, from_detectron2, to_detectron2

__all__ = [
    'DetectronNames',
    'Renamed',
    'check_against_config',
    'default_config',
    'from_detectron2',
    'read_detectron2',
    'to_detectron2',
    'write_detectron2',
]
