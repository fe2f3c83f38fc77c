# Copyright (c) onestage_pose contributors.
from .crowd_iou_assigner import CrowdIoUAssigner
from .rounded_anchor_generator import RoundedAnchorGenerator

__all__ = ['CrowdIoUAssigner', 'RoundedAnchorGenerator']
