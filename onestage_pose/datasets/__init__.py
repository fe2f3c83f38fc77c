# Copyright (c) onestage_pose contributors.
"""Datasets and transforms, registered in mmpose's DATASETS and TRANSFORMS."""

from .person_keypoints import PersonKeypointsDataset
from .synthetic_people import SyntheticPeople
from .transforms import (
    BoxesAroundJoints,
    LoadPoseImage,
    LoadPoseMasks,
    PackKeypointRCNNInputs,
    PoseMosaic,
    PoseRandomAffine,
    PoseRandomFlip,
    PoseResize,
)

__all__ = [
    'BoxesAroundJoints',
    'LoadPoseImage',
    'LoadPoseMasks',
    'PackKeypointRCNNInputs',
    'PersonKeypointsDataset',
    'PoseMosaic',
    'PoseRandomAffine',
    'PoseRandomFlip',
    'PoseResize',
    'SyntheticPeople',
]
