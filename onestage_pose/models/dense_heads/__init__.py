# Copyright (c) onestage_pose contributors.
from .logit_rpn_head import LogitRPNHead

__all__ = ['LogitRPNHead']
