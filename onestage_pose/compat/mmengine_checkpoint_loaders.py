# Copyright (c) onestage_pose contributors.
"""mmengine's loading of checkpoints, without running what is in them.

Upstream: mmengine 0.10.7, ``mmengine/runner/checkpoint.py``. It leaves
``weights_only`` to torch for local files, so that an environment variable can switch
it off, and has it off for every download. Can go once mmengine loads with
``weights_only=True`` throughout, its own checkpoints included.
"""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from .hooks import when_imported

# Which function of the replacing module loads from where.
SCHEMES = {
    'load_from_local': ('',),
    'load_from_http': ('http://', 'https://'),
    'load_from_torchvision': ('torchvision://', 'modelzoo://'),
    'load_from_openmmlab': ('open-mmlab://', 'openmmlab://'),
    'load_from_mmcls': ('mmcls://',),
    'load_from_ceph': (r'(\S+\:)?s3://', r'(\S+\:)?petrel://'),
    'load_from_pavi': ('pavi://',),
}


def install(loaders: str, more: Mapping[str, str] | None = None) -> None:
    """Load every checkpoint through another module, once mmengine's is imported.

    ``Runner``, ``init_model``, ``PretrainedInit`` and the inferencers all load so.

    Args:
        loaders: Full name of the module, which has the functions of :data:`SCHEMES`;
            imported with the first checkpoint that is loaded.
        more: Full names, ``'module:function'``, of loaders for schemes that mmengine
            does not have, such as ``'zoo://'``.
    """
    when_imported(
        'mmengine.runner.checkpoint',
        functools.partial(replace_loaders, loaders=loaders, more=more),
    )


def replace_loaders(
    checkpoint: ModuleType, loaders: str, more: Mapping[str, str] | None = None
) -> None:
    """Register the functions of a module for all of mmengine's schemes.

    Args:
        checkpoint: ``mmengine.runner.checkpoint``.
        loaders: As in :func:`install`.
        more: As in :func:`install`.
    """
    for name, prefixes in SCHEMES.items():
        checkpoint.CheckpointLoader.register_scheme(
            prefixes, _load_later(loaders, name), force=True
        )
    for prefix, loader in (more or {}).items():
        checkpoint.CheckpointLoader.register_scheme(
            (prefix,), _load_later(*loader.split(':')), force=True
        )


def _load_later(module: str, name: str) -> Callable:
    def load(filename: str, map_location: Any = None, **options: Any) -> Any:
        loader = pkgutil.resolve_name(f'{module}:{name}')
        return loader(filename, map_location, **options)

    # mmengine logs a part of it
    load.__name__ = name
    load.__module__ = module
    return load
