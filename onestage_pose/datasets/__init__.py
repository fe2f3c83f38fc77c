# Copyright (c) onestage_pose contributors.
"""Datasets and transforms, registered in mmpose's DATASETS and TRANSFORMS."""

from . import synthetic_people  # noqa: I001  (registers the alias)
from .person_keypoints import PersonKeypointsDataset
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
]


def __getattr__(name: str) -> type:
    """Answer for what is a project now, with a ``FutureWarning``."""
    if name == 'SyntheticPeople':
        return synthetic_people.SyntheticPeople
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
