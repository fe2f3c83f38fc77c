# Copyright (c) onestage_pose contributors.
"""Trained models by name, and what mmpose's inference needs beside the model."""

from . import inferencer_options, model_zoo
from .model_zoo import ModelFiles, get_model_files, list_models, load_model


def install() -> None:
    """Makes mmpose's inferencers take this package's options and models."""
    inferencer_options.install()
    model_zoo.install()


__all__ = ['ModelFiles', 'get_model_files', 'install', 'list_models', 'load_model']
