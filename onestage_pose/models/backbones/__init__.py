# Copyright (c) onestage_pose contributors.
from .frozen_depthwise_conv import FrozenDepthwiseConv2d
from .movenet import MoveNet
from .timm_backbone import TimmBackbone

__all__ = ['FrozenDepthwiseConv2d', 'MoveNet', 'TimmBackbone']
