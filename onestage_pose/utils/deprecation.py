# Copyright (c) onestage_pose contributors.
"""Old names of classes, for the configs and programs that were written with them."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from mmengine.registry import Registry


def warn_deprecated(old: str, new: str, stacklevel: int = 2) -> None:
    """Warn that something was called by its old name.

    Args:
        old (str): The name that was used.
        new (str): The name to use.
        stacklevel (int): As in :func:`warnings.warn`, counted from the caller.
    """
    warnings.warn(
        f'{old} is now {new}; the old name will be removed, use the new one.',
        FutureWarning,
        stacklevel=stacklevel + 1,
    )


def register_alias(registry: Registry, old: str, new: type) -> type:
    """Let a registry build a class by its old name too, with a ``FutureWarning``.

    ``dict(type='Old', ...)`` then gives an instance of ``new`` itself, so nothing
    differs but the warning.

    Args:
        registry (Registry): Where ``new`` is registered.
        old (str): The name that the class had.
        new (type): The class.

    Returns:
        type: What stands in the registry, a subclass of ``new`` that is never
        instantiated.

    Raises:
        KeyError: Another class has the name ``old``.
    """

    def build(cls: type, *args: Any, **kwargs: Any) -> Any:
        warn_deprecated(f"type='{old}'", f"type='{new.__name__}'")
        return new(*args, **kwargs)

    members = {
        '__new__': build,
        '__doc__': f'Old name of :class:`{new.__name__}`.',
        '__module__': new.__module__,
        '__signature__': inspect.signature(new),
    }
    alias = type(new)(old, (new,), members)
    registry.register_module(name=old, module=alias)
    return alias


def renamed_attributes(module: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that answers for names it had once.

    ``__getattr__ = renamed_attributes(__name__, {'Old': 'New'})`` keeps
    ``from module import Old`` at work, with a ``FutureWarning``.

    Args:
        module (str): ``__name__`` of the module.
        renamed (Mapping[str, str]): Old to new names; the new ones are in the module.

    Returns:
        Callable[[str], Any]: Raises ``AttributeError`` for all other names.
    """

    def __getattr__(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f'module {module!r} has no attribute {name!r}')
        new = renamed[name]
        warn_deprecated(f'{module}.{name}', f'{module}.{new}')
        return getattr(sys.modules[module], new)

    return __getattr__
