# Copyright (c) onestage_pose contributors.
from ...structures import KeypointOutput
from .base_keypoint_head import BaseKeypointHead
from .conv_keypoint_head import ConvKeypointHead
from .gcm_keypoint_head import GCMKeypointHead
from .prior_keypoint_head import FinePriorKeypointHead, PriorKeypointHead
from .visibility_branch import VisibilityBranch

__all__ = [
    'BaseKeypointHead',
    'ConvKeypointHead',
    'FinePriorKeypointHead',
    'GCMKeypointHead',
    'KeypointOutput',
    'PriorKeypointHead',
    'VisibilityBranch',
]
