# Copyright (c) onestage_pose contributors.
"""Which code serves mmcv's compiled operators: mmcv itself, or torchvision."""

from __future__ import annotations

import functools
import importlib
import logging

from mmengine.logging import MMLogger, print_log

from ..utils.openmmlab import describe_openmmlab
from .fallback_module import NAME, FallbackModule


def backend() -> str:
    """Return the package that provides NMS and RoIAlign.

    Returns:
        str: ``'mmcv'`` (compiled) or ``'torchvision'``.
    """
    importlib.import_module('mmcv')  # which lets FallbackModule be found
    served_by = importlib.import_module(NAME)
    return 'torchvision' if isinstance(served_by, FallbackModule) else 'mmcv'


def describe_backend() -> str:
    """Describe the backend and its versions in one line."""
    import mmcv
    import torchvision

    if backend() == 'mmcv':
        server = f'compiled mmcv {mmcv.__version__}'
    else:
        server = f'torchvision {torchvision.__version__} (mmcv-lite {mmcv.__version__})'
    return f'onestage_pose.ops: nms and RoIAlign by {server}'


def log_backend() -> None:
    """Log the backend and the versions, once to every logger of mmengine.

    Two lines at INFO: :func:`describe_backend`, and which of OpenMMLab's packages are
    installed.

    The detector calls it when it is built, not at import: only then does the run's log
    file exist.
    """
    _log_once_to(MMLogger.get_current_instance().instance_name)


@functools.cache
def _log_once_to(logger: str) -> None:
    for line in (describe_openmmlab(), describe_backend()):
        print_log(line, logger=logger, level=logging.INFO)
