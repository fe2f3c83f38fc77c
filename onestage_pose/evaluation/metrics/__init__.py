# Copyright (c) onestage_pose contributors.
"""COCO's measures for keypoints and boxes, what explains them, and probabilities."""

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
