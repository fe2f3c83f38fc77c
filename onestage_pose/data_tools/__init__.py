# Copyright (c) onestage_pose contributors.
"""From one's own annotations to data that can be trained on, and to a verdict."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'check_data': 'check',
    'convert_data': 'convert',
    'evaluate': 'evaluation',
}
__all__ = [*_EXPORTS]
# The command line reads names of this package without importing numpy.
__getattr__ = lazy_exports(__name__, _EXPORTS)
