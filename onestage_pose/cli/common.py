# Copyright (c) onestage_pose contributors.
"""Names as they were before this module was split; goes with its last user."""

from .args import OptionAction, positive  # noqa: F401
from .files import check_writable, find_images  # noqa: F401
from .files import find_images as find_pictures  # noqa: F401
from .model import build_model, find_model  # noqa: F401
from .run import run_tool  # noqa: F401


def read_model(config, checkpoint, options):
    """Return the checked config of a model; :func:`build_model` returns the model."""
    return build_model(config, checkpoint, options).cfg
