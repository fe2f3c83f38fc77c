# Copyright (c) onestage_pose contributors.
"""Trained models by name, and the configs of checkpoints."""

from ..zoo import ModelFiles, get_model_files, list_models, load_model
from .checkpoint_config import find_checkpoint_config

__all__ = [
    'find_checkpoint_config',
    'ModelFiles',
    'get_model_files',
    'install',
    'list_models',
    'load_model',
]


def install() -> None:
    """Do nothing: importing :mod:`onestage_pose` is enough.

    It was what makes mmpose's inferencers take this project's options and models.
    """
