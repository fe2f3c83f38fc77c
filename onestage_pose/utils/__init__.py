# Copyright (c) onestage_pose contributors.
"""What is neither model nor data: where the files of the package are."""

from .paths import get_config_path, get_config_root, get_data_root

__all__ = ['get_config_path', 'get_config_root', 'get_data_root']
