# Copyright (c) onestage_pose contributors.
"""torchvision's Keypoint R-CNN: names, class order, files."""

from .file import is_torchvision, parse_torchvision, write_torchvision
from .weights import from_torchvision, to_torchvision

__all__ = [
    'from_torchvision',
    'is_torchvision',
    'parse_torchvision',
    'to_torchvision',
    'write_torchvision',
]
