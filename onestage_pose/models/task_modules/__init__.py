# Copyright (c) onestage_pose contributors.
from .crowd_iou_assigner import CrowdIoUAssigner

__all__ = ['CrowdIoUAssigner']
