# Copyright (c) onestage_pose contributors.
"""mmcv's compiled operators, where mmcv is not compiled.

Upstream: mmcv-lite 2.1.0, which has ``mmcv.ops`` without the ``mmcv._ext`` that it
imports; mmdet 3.3.0 imports ``mmcv.ops``. Can go once mmcv-lite carries operators, or
``mmcv.ops`` uses torchvision's.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

from .hooks import when_imported

NAME = 'mmcv._ext'


def install(make_operators: Callable[[], ModuleType]) -> None:
    """Let another module answer for a missing ``mmcv._ext``, once mmcv is imported.

    Args:
        make_operators: Returns the module; called only if it is needed.

    Raises:
        ImportError: Neither mmcv nor mmcv-lite is installed.
    """
    if not sys.modules.get('mmcv') and importlib.util.find_spec('mmcv') is None:
        raise ImportError(
            "onestage_pose needs mmcv: run pip install 'mmcv-lite>=2.0.0,<2.2.0' "
            '(no compiler needed), or install the full mmcv of the same version '
            'for its compiled operators.'
        )
    when_imported(
        'mmcv', functools.partial(provide_operators, make_operators=make_operators)
    )


def provide_operators(mmcv: ModuleType, make_operators: Callable) -> None:
    """Put a module in the place of a missing ``mmcv._ext``.

    Does nothing where mmcv is compiled, or where the module is there already.

    Args:
        mmcv: The package.
        make_operators: Returns the module.

    Raises:
        ImportError: The compiled part of mmcv does not load (most often: built for
            another PyTorch).
    """
    try:
        importlib.import_module(NAME)
    except ModuleNotFoundError as error:
        if error.name != NAME:
            raise
        sys.modules[NAME] = make_operators()
    except ImportError as error:
        import torch

        raise ImportError(
            f'The compiled part of mmcv does not load: {error}. It was most likely '
            f'built for another PyTorch than {torch.__version__}: '
            'docs/get_started/installation.md says which builds fit. Or take '
            "mmcv-lite: pip uninstall mmcv, then pip install 'mmcv-lite>=2.0.0,<2.2.0'."
        ) from error
