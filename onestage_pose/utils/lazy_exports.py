# Copyright (c) onestage_pose contributors.
"""Names of a package that import the module they are in when they are first used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_exports(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__`` for names of its modules.

    ``__getattr__ = lazy_exports(__name__, {'load_model': 'loading'})`` in a package's
    ``__init__`` does what ``from .loading import load_model`` does, without importing
    ``loading`` (and PyTorch with it) where another module of the package is wanted.

    Args:
        package (str): ``__name__`` of the package.
        names (Mapping[str, str]): For each name, the module below ``package``.

    Returns:
        Callable[[str], Any]: Raises ``AttributeError`` for all other names.
    """

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        return getattr(importlib.import_module(f'.{names[name]}', package), name)

    return __getattr__
