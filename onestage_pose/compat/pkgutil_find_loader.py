# Copyright (c) onestage_pose contributors.
"""``pkgutil.find_loader`` for mmengine and mmcv on Python 3.14, which has it no more.

Upstream: mmengine 0.10.7, ``mmengine/utils/dl_utils/misc.py``, and mmcv 2.1.0,
``mmcv/utils/ext_loader.py``. They look for mmcv's compiled operators with it, and
without it no model can be built.
"""

from __future__ import annotations

import importlib.util
import pkgutil
from importlib.abc import Loader
from types import ModuleType, SimpleNamespace

from .hooks import when_imported

MODULES = ('mmengine.utils.dl_utils.misc', 'mmcv.utils.ext_loader')


def install() -> None:
    """Give the function to the modules that use it, once they are imported."""
    for name in MODULES:
        when_imported(name, give_find_loader)


def give_find_loader(module: ModuleType) -> None:
    """Let a module find loaders where Python cannot.

    Args:
        module: One that uses nothing of pkgutil but ``find_loader``.
    """
    if not hasattr(pkgutil, 'find_loader') and hasattr(module, 'pkgutil'):
        module.pkgutil = SimpleNamespace(find_loader=find_loader)


def find_loader(name: str) -> Loader | None:
    """Return the loader of a module, None where there is no such module.

    Args:
        name: Full name of the module.

    Raises:
        ImportError: A package that it is in does not exist, or the module was put
            into ``sys.modules`` by hand.
    """
    try:
        spec = importlib.util.find_spec(name)
    except ValueError as error:  # it has no __spec__
        raise ImportError(f'no loader of {name} can be found: {error}') from error
    return spec and spec.loader
