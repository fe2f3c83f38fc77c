# Copyright (c) onestage_pose contributors.
from .heatmaps import paste_heatmaps

__all__ = ['paste_heatmaps']
