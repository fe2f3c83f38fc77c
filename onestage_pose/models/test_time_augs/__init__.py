# Copyright (c) onestage_pose contributors.
from .flip import average_flipped, mirror_boxes, mirror_images

__all__ = ['average_flipped', 'mirror_boxes', 'mirror_images']
