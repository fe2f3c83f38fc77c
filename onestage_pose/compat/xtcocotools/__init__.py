# Copyright (c) onestage_pose contributors.
"""xtcocotools, answered by pycocotools where it is missing or does not load.

Upstream: xtcocotools 1.14.3, which mmpose 1.3.2 imports. Its wheels are built for
numpy 1, there are none for Python 3.12 and later, and its source needs a compiler
(jin-s13/xtcocoapi#45). Can go once mmpose imports pycocotools, or xtcocotools has
wheels for numpy 2 and all of Python 3.10 to 3.14.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

NAME = 'xtcocotools'
_MODULES = {
    NAME: None,
    f'{NAME}.coco': f'{__name__}.coco',
    f'{NAME}.cocoeval': f'{__name__}.cocoeval',
    f'{NAME}.mask': f'{__name__}.mask',
    f'{NAME}._mask': 'pycocotools._mask',
}


class PycocotoolsFinder:
    """Finder and loader of modules that have xtcocotools' names and our content."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        """Answer for xtcocotools' modules, unless the installed ones work."""
        if name not in _MODULES:
            return None
        if name == NAME and _installed_one_loads():
            return None
        if name != NAME and not is_answered():
            return None
        return ModuleSpec(name, self, is_package=name == NAME)

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make an empty module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module with the public names of the one that answers for it."""
        content = _MODULES[module.__name__]
        if content is not None:
            served = vars(importlib.import_module(content))
            vars(module).update(
                (name, value) for name, value in served.items() if name[:2] != '__'
            )


def install() -> None:
    """Let pycocotools answer from the next import of xtcocotools on.

    Harmless when called again, and where xtcocotools is imported already.
    """
    if not any(isinstance(finder, PycocotoolsFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, PycocotoolsFinder())


def is_answered() -> bool:
    """Tell whether the xtcocotools that was imported is this one."""
    spec = getattr(sys.modules.get(NAME), '__spec__', None)
    return isinstance(getattr(spec, 'loader', None), PycocotoolsFinder)


def _installed_one_loads() -> bool:
    package = PathFinder.find_spec(NAME)
    if package is None:
        return False
    folders = package.submodule_search_locations
    compiled = PathFinder.find_spec(f'{NAME}._mask', folders)
    if compiled is None:
        return False
    # numpy 2 prints half a screen about a module built for numpy 1 before it raises.
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            compiled.loader.exec_module(importlib.util.module_from_spec(compiled))
        except Exception:
            return False
    return True
