# Copyright (c) onestage_pose contributors.
"""Data files that mmengine reads, without running what is in them.

Upstream: mmengine 0.10.7, ``mmengine/fileio/handlers``. Its YAML is read by PyYAML's
unsafe loader, so that a tag ``!!python/object/apply`` calls any function, and data sets
unpickle a ``bbox_file`` or ``ann_file`` that ends in ``.pkl``. Can go once mmengine
reads YAML by ``SafeLoader`` and data sets read no pickles.
"""

from __future__ import annotations

import functools
import os
import pkgutil
from types import ModuleType
from typing import Any

from .hooks import when_imported

#: Read files that a config names by mmengine's `load`.
READERS = (
    'mmengine.dataset.base_dataset',
    'mmpose.datasets.datasets.base.base_coco_style_dataset',
    'mmpose.datasets.datasets.base.base_mocap_dataset',
    'mmpose.datasets.datasets.body.posetrack18_video_dataset',
    'mmpose.evaluation.metrics.coco_metric',
    'mmdet.datasets.base_det_dataset',
    'mmdet.datasets.crowdhuman',
    'mmdet.datasets.openimages',
)
_SUFFIXES = ('.pkl', '.pickle')


def install(load_pickle: str) -> None:
    """Read YAML by the safe loader, and data sets' pickles by another function.

    Args:
        load_pickle: Where the function is, ``'module:name'``; imported with the first
            pickle that is read.
    """
    when_imported('mmengine.fileio.handlers.yaml_handler', use_safe_loader)
    for name in READERS:
        when_imported(name, functools.partial(replace_load, load_pickle=load_pickle))


def use_safe_loader(yaml_handler: ModuleType) -> None:
    """Read YAML without Python's objects; tuples, which mmengine writes, are read.

    Args:
        yaml_handler: ``mmengine.fileio.handlers.yaml_handler``.
    """
    yaml = yaml_handler.yaml
    base = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)

    class Loader(base):
        """PyYAML's safe loader, and Python's tuples."""

    Loader.add_constructor(
        'tag:yaml.org,2002:python/tuple',
        lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
    )
    yaml_handler.Loader = Loader


def replace_load(module: ModuleType, load_pickle: str) -> None:
    """Let a module read pickles by another function.

    Args:
        module: Has mmengine's ``load`` by this name.
        load_pickle: As in :func:`install`.
    """
    original = module.load
    if getattr(original, 'reads_plain_pickles', False):
        return

    @functools.wraps(original)
    def load(file: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, (str, os.PathLike)):
            if os.fspath(file).lower().endswith(_SUFFIXES):
                return pkgutil.resolve_name(load_pickle)(file)
        return original(file, *args, **kwargs)

    load.reads_plain_pickles = True
    module.load = load
