# Copyright (c) onestage_pose contributors.
"""When patches are made: after the module that they change was imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from wrapt import register_post_import_hook


def when_imported(name: str, patch: Callable[[ModuleType], object]) -> None:
    """Call ``patch`` with a module after its import, or now if it is imported.

    Args:
        name: Full name of the module.
        patch: Harmless when called again for the same module.
    """
    register_post_import_hook(patch, name)


def replace_function(module: ModuleType, name: str, replacement: Callable) -> None:
    """Replace a function in its module and in those that have imported it by name.

    Args:
        module: Where it is defined.
        name: Its name.
        replacement: What to have in its place.
    """
    original = getattr(module, name)
    for holder in list(sys.modules.values()):
        if getattr(holder, '__dict__', {}).get(name) is original:
            setattr(holder, name, replacement)
