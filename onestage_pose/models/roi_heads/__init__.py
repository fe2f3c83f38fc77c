# Copyright (c) onestage_pose contributors.
from .keypoint_branch import KeypointBranchMixin
from .keypoint_roi_head import CascadeKeypointRoIHead, KeypointRoIHead
from .non_empty_bbox_head import NonEmptyBBoxHead
from .roi_feature_extractor import RoIFeatureExtractor

__all__ = [
    'CascadeKeypointRoIHead',
    'KeypointBranchMixin',
    'KeypointRoIHead',
    'NonEmptyBBoxHead',
    'RoIFeatureExtractor',
]
