# Copyright (c) onestage_pose contributors.
"""Datasets and transforms, registered in mmpose's DATASETS and TRANSFORMS."""

from ..utils.deprecation import renamed_attributes
from . import synthetic_people
from .detected_people import DetectedPeopleDataset
from .person_keypoints import PersonKeypointsDataset
from .transforms import (
    BoxesFromKeypoints,
    KeypointsAsContinuous,
    LoadPoseImage,
    LoadPoseMasks,
    PackKeypointRCNNInputs,
    PoseMosaic,
    PoseRandomAffine,
    PoseRandomFlip,
    PoseResize,
)

__all__ = [
    'BoxesFromKeypoints',
    'DetectedPeopleDataset',
    'KeypointsAsContinuous',
    'LoadPoseImage',
    'LoadPoseMasks',
    'PackKeypointRCNNInputs',
    'PersonKeypointsDataset',
    'PoseMosaic',
    'PoseRandomAffine',
    'PoseRandomFlip',
    'PoseResize',
]


_renamed = renamed_attributes(__name__, {'BoxesAroundJoints': 'BoxesFromKeypoints'})


def __getattr__(name: str) -> type:
    """Return a class by its old name or place, with a ``FutureWarning``."""
    if name == 'SyntheticPeople':
        return synthetic_people.SyntheticPeople
    return _renamed(name)
