# Copyright (c) onestage_pose contributors.
"""Predictions for many images, by several processes or a Ray cluster, that resume.

Needs the extra ``bulk``.
"""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'Job': 'job',
    'WorkerOptions': 'worker',
    'open_source': 'sources',
    'run_on_ray': 'on_ray',
}
__all__ = list(_EXPORTS)
__getattr__ = lazy_exports(__name__, _EXPORTS)
