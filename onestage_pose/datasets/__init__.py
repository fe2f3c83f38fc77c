# Copyright (c) onestage_pose contributors.
"""Datasets and transforms, registered in mmpose's DATASETS and TRANSFORMS."""

from .person_keypoints import PersonKeypointsDataset
from .synthetic_people import SyntheticPeople
from .transforms import (
    LoadPoseImage,
    LoadPoseMasks,
    PackKeypointRCNNInputs,
    PoseRandomFlip,
    PoseResize,
)

__all__ = [
    'LoadPoseImage',
    'LoadPoseMasks',
    'PackKeypointRCNNInputs',
    'PersonKeypointsDataset',
    'PoseRandomFlip',
    'PoseResize',
    'SyntheticPeople',
]
