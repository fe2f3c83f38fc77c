# Copyright (c) onestage_pose contributors.
from .roi_heatmap import RoIHeatmap

__all__ = ['RoIHeatmap']
