# Copyright (c) onestage_pose contributors.
from .frozen_depthwise_conv import FrozenDepthwiseConv2d
from .timm_backbone import TimmBackbone

__all__ = ['FrozenDepthwiseConv2d', 'TimmBackbone']
