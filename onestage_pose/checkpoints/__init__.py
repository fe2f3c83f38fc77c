# Copyright (c) onestage_pose contributors.
"""Checkpoints: safe reading, atomic writing, checks, the latest one, conversion."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'AtomicBackend': 'atomic',
    'check_checkpoint': 'check',
    'find_latest_checkpoint': 'latest',
    'load_checkpoint': 'check',
    'load_from_local': 'loading',
}
__all__ = list(_EXPORTS)
# mmengine.fileio, which comes before PyTorch, imports `atomic`.
__getattr__ = lazy_exports(__name__, _EXPORTS)
