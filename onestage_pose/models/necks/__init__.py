# Copyright (c) onestage_pose contributors.
from .pose_prior_fpn import PosePriorFPN

__all__ = ['PosePriorFPN']
