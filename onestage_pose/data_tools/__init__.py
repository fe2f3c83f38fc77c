# Copyright (c) onestage_pose contributors.
"""Prepare annotations: convert, check, fine-tune on them, evaluate."""

from ..utils.lazy_exports import lazy_exports

_EXPORTS = {
    'check_data': 'check',
    'convert_data': 'convert',
    'evaluate': 'evaluation',
}
__all__ = [*_EXPORTS]
# The command line reads names of this package without importing numpy.
__getattr__ = lazy_exports(__name__, _EXPORTS)
