# Copyright (c) onestage_pose contributors.
"""Operators that PyTorch does not have for Apple's GPUs run on the CPU.

Upstream: PyTorch 2.11, whose MPS backend lacks operators. It runs them on the CPU if an
environment variable is set before its import, and raises ``NotImplementedError``
otherwise. Can go once the backend has them all, or falls back by itself.
"""

from __future__ import annotations

import os
import sys

VARIABLE = 'PYTORCH_ENABLE_MPS_FALLBACK'


def install() -> None:
    """Set the variable on macOS, unless it is set or PyTorch is imported already."""
    if sys.platform == 'darwin' and 'torch' not in sys.modules:
        os.environ.setdefault(VARIABLE, '1')
