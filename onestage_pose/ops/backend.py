# Copyright (c) onestage_pose contributors.
"""Which code serves mmcv's compiled operators: mmcv itself, or torchvision."""

from __future__ import annotations

import functools
import importlib
import logging
import sys

from mmengine.logging import MMLogger, print_log

from .fallback_module import NAME, FallbackModule
from .unsupported import REMEDY


def install() -> None:
    """Puts the torchvision fallback in the place of a missing ``mmcv._ext``.

    Does nothing where mmcv is compiled, or where the fallback is there already.

    Raises:
        ImportError: neither mmcv nor mmcv-lite is there, or the compiled part of
            mmcv does not load (most often: built for another PyTorch).
    """
    try:
        importlib.import_module('mmcv')
    except ModuleNotFoundError as error:
        if error.name != 'mmcv':
            raise
        raise ImportError(
            "onestage_pose needs mmcv: run pip install 'mmcv-lite>=2.0.0,<2.2.0' "
            '(no compiler needed), or install the full mmcv of the same version '
            'for its compiled operators.'
        ) from error
    try:
        importlib.import_module(NAME)
    except ModuleNotFoundError as error:
        if error.name != NAME:
            raise
        sys.modules[NAME] = FallbackModule()
    except ImportError as error:
        raise ImportError(
            f'The compiled part of mmcv does not load: {error}. It was most likely '
            f'built for another PyTorch. {REMEDY} Or take mmcv-lite: pip uninstall '
            "mmcv, then pip install 'mmcv-lite>=2.0.0,<2.2.0'."
        ) from error


def backend() -> str:
    """Names what serves nms and RoIAlign.

    Returns:
        str: ``'mmcv'`` (compiled) or ``'torchvision'``.
    """
    served_by = sys.modules[NAME]
    return 'torchvision' if isinstance(served_by, FallbackModule) else 'mmcv'


def describe_backend() -> str:
    """One line for a log: the backend and the versions it consists of."""
    import mmcv
    import torchvision

    if backend() == 'mmcv':
        server = f'compiled mmcv {mmcv.__version__}'
    else:
        server = f'torchvision {torchvision.__version__} (mmcv-lite {mmcv.__version__})'
    return f'onestage_pose.ops: nms and RoIAlign by {server}'


def log_backend() -> None:
    """Logs :func:`describe_backend` at INFO, once to every logger of mmengine.

    Not done on import: only after a run has made its logger does the line reach the
    run's log file. The detector calls it when it is built.
    """
    _log_once_to(MMLogger.get_current_instance().instance_name)


@functools.cache
def _log_once_to(logger: str) -> None:
    print_log(describe_backend(), logger=logger, level=logging.INFO)
