# Copyright (c) onestage_pose contributors.
"""Metrics: COCO's AP of keypoints and boxes, error reports, visibility."""

from .keypoint_coco_metric import KeypointCocoMetric
from .keypoint_report import KeypointReport
from .keypoint_visibility_metric import KeypointVisibilityMetric
from .person_box_metric import PersonBoxMetric

__all__ = [
    'KeypointCocoMetric',
    'KeypointReport',
    'KeypointVisibilityMetric',
    'PersonBoxMetric',
]
