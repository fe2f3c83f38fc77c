# Copyright (c) onestage_pose contributors.
"""mmpose's missing registry of functions.

Upstream: mmpose 1.3.2, ``mmpose/registry.py``. mmengine's inferencers look for
``pseudo_collate`` in the registry of functions of their scope. mmpose has none, so
each of its inferencers warns that it "failed to search registry with scope". Can go
once mmpose has a child of ``mmengine.registry.FUNCTIONS``.
"""

from __future__ import annotations

from types import ModuleType

from .hooks import when_imported


def install() -> None:
    """Add the registry, once those of mmpose are imported."""
    when_imported('mmpose.registry', add_registry)


def add_registry(registry: ModuleType) -> None:
    """Add a registry of functions with mmpose's scope, if there is none.

    Args:
        registry: ``mmpose.registry``.
    """
    from mmengine.registry import FUNCTIONS

    if 'mmpose' not in FUNCTIONS.children:
        # Without a location mmengine would import all of mmpose for it.
        registry.Registry(
            'function', parent=FUNCTIONS, scope='mmpose', locations=['mmpose.registry']
        )
