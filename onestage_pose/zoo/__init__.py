# Copyright (c) onestage_pose contributors.
"""The trained models, by name."""

from .models import ModelFiles, get_model_files, list_models, load_model

__all__ = ['ModelFiles', 'get_model_files', 'list_models', 'load_model']
