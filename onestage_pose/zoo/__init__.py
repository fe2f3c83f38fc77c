# Copyright (c) onestage_pose contributors.
"""The published models, by name."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'ModelFiles': 'files',
    'get_model_files': 'files',
    'list_models': 'files',
    'load_model': 'loading',
}
__all__ = list(_EXPORTS)
# Names and files of the models are to be had without PyTorch.
__getattr__ = lazy_exports(__name__, _EXPORTS)
