# Copyright (c) onestage_pose contributors.
"""Trained models by name."""

from ..zoo import ModelFiles, get_model_files, list_models, load_model

__all__ = ['ModelFiles', 'get_model_files', 'install', 'list_models', 'load_model']


def install() -> None:
    """Do nothing: importing :mod:`onestage_pose` is enough.

    It was what makes mmpose's inferencers take this project's options and models.
    """
