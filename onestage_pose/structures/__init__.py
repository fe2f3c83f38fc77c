# Copyright (c) onestage_pose contributors.
"""Coordinates, images and results, for use by every other part of the package."""

from .coordinates import (
    bin_centers,
    continuous_to_pixel_index,
    pixel_index_to_continuous,
    resize_pixel_index,
)
from .images import to_bgr_image
from .keypoint_output import KeypointOutput

__all__ = [
    'KeypointOutput',
    'bin_centers',
    'continuous_to_pixel_index',
    'pixel_index_to_continuous',
    'resize_pixel_index',
    'to_bgr_image',
]
