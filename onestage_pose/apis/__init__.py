# Copyright (c) onestage_pose contributors.
"""Trained models by name, and people in whatever images there are."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'ModelFiles': '.zoo',
    'PosePredictor': 'predictor',
    'PoseResult': 'result',
    'find_checkpoint_config': 'checkpoint_config',
    'get_model_files': '.zoo',
    'list_models': '.zoo',
    'load_model': '.zoo',
}
__all__ = [*_EXPORTS, 'install']
# Names of models are to be had without PyTorch.
__getattr__ = lazy_exports(__name__, _EXPORTS)


def install() -> None:
    """Do nothing: importing :mod:`onestage_pose` is enough.

    It is kept for old programs, where it prepared mmpose's inferencers for this
    project's models.
    """
