# Copyright (c) onestage_pose contributors.
"""COCO's measures for keypoints and for the boxes of people."""

from .keypoint_coco_metric import KeypointCocoMetric
from .person_box_metric import PersonBoxMetric

__all__ = ['KeypointCocoMetric', 'PersonBoxMetric']
