# Copyright (c) onestage_pose contributors.
"""Trained models by name, and what mmpose's inference needs beside the model."""

from ..compat import inferencer_options
from ..zoo import ModelFiles, get_model_files, list_models, load_model, models


def install() -> None:
    """Makes mmpose's inferencers take this package's options and models."""
    inferencer_options.install()
    models.install()


__all__ = ['ModelFiles', 'get_model_files', 'install', 'list_models', 'load_model']
