# Copyright (c) onestage_pose contributors.
"""Paths of the package's configs and tools."""

from .paths import get_config_path, get_config_root, get_data_root

__all__ = ['get_config_path', 'get_config_root', 'get_data_root']
