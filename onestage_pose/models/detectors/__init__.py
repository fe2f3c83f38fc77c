# Copyright (c) onestage_pose contributors.
from .keypoint_rcnn import KeypointRCNN

__all__ = ['KeypointRCNN']
