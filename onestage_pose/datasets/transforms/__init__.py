# Copyright (c) onestage_pose contributors.
"""Transforms that carry boxes, keypoints and masks together with the image."""

from mmpose.registry import TRANSFORMS

from ...utils.deprecation import register_alias, renamed_attributes
from .boxes_from_keypoints import BoxesFromKeypoints
from .keypoints_as_continuous import KeypointsAsContinuous
from .load_pose_image import LoadPoseImage
from .load_pose_masks import LoadPoseMasks
from .pack_keypoint_rcnn_inputs import PackKeypointRCNNInputs
from .pose_mosaic import PoseMosaic
from .pose_random_affine import PoseRandomAffine
from .pose_random_flip import PoseRandomFlip
from .pose_resize import PoseResize

# Old names, which configs and programs may still have.
register_alias(TRANSFORMS, 'BoxesAroundJoints', BoxesFromKeypoints)
__getattr__ = renamed_attributes(__name__, {'BoxesAroundJoints': 'BoxesFromKeypoints'})

__all__ = [
    'BoxesFromKeypoints',
    'KeypointsAsContinuous',
    'LoadPoseImage',
    'LoadPoseMasks',
    'PackKeypointRCNNInputs',
    'PoseMosaic',
    'PoseRandomAffine',
    'PoseRandomFlip',
    'PoseResize',
]
