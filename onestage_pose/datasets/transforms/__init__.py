# Copyright (c) onestage_pose contributors.
"""Transforms that carry boxes, keypoints and masks together with the picture."""

from .boxes_around_joints import BoxesAroundJoints
from .load_pose_image import LoadPoseImage
from .load_pose_masks import LoadPoseMasks
from .pack_keypoint_rcnn_inputs import PackKeypointRCNNInputs
from .pose_mosaic import PoseMosaic
from .pose_random_affine import PoseRandomAffine
from .pose_random_flip import PoseRandomFlip
from .pose_resize import PoseResize

__all__ = [
    'BoxesAroundJoints',
    'LoadPoseImage',
    'LoadPoseMasks',
    'PackKeypointRCNNInputs',
    'PoseMosaic',
    'PoseRandomAffine',
    'PoseRandomFlip',
    'PoseResize',
]
