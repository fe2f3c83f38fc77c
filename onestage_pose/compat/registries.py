# Copyright (c) onestage_pose contributors.
"""This project's modules in OpenMMLab's registries, from the first look-up on.

A registry of mmengine 0.10.7 imports the modules that its ``_locations`` name before
it looks for the first time. mmdet and mmpose fill their own so; no function adds one
afterwards. Can go once mmengine lets other packages name locations.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from types import ModuleType

from .hooks import when_imported


def install(locations: Mapping[str, Mapping[str, str]]) -> None:
    """Name modules to import to registries, once those are imported.

    Args:
        locations: For each module that has registries (such as ``'mmdet.registry'``),
            what to import for each of them by name.
    """
    for module, names in locations.items():
        when_imported(module, functools.partial(add_locations, locations=names))


def add_locations(module: ModuleType, locations: Mapping[str, str]) -> None:
    """Name modules to import to registries.

    Args:
        module: Has the registries as attributes.
        locations: What to import for each of them by name. It is imported now if the
            registry has been asked already.
    """
    for name, location in locations.items():
        registry = getattr(module, name)
        if location not in registry._locations:
            # a new list: those of registries without locations are one and the same
            registry._locations = [*registry._locations, location]
        if registry._imported:
            importlib.import_module(location)
