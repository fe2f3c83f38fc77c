# Copyright (c) onestage_pose contributors.
"""The published models, by name: a table, the cache, downloads, loading."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'ModelFiles': 'files',
    'PublishedModel': 'table',
    'find_published': 'files',
    'get_home': 'home',
    'get_model_files': 'files',
    'get_model_info': 'table',
    'is_on_disk': 'files',
    'list_models': 'table',
    'load_model': 'loading',
}
__all__ = list(_EXPORTS)
# Names and files of the models are to be had without PyTorch.
__getattr__ = lazy_exports(__name__, _EXPORTS)
