# Copyright (c) onestage_pose contributors.
"""The module object that stands in for mmcv's compiled ``mmcv._ext``."""

from __future__ import annotations

import functools
import importlib.machinery
import types
from collections.abc import Callable

from . import torchvision_ops
from .unsupported import raise_unsupported

NAME = 'mmcv._ext'


class FallbackModule(types.ModuleType):
    """``mmcv._ext`` by torchvision's operators.

    ``mmcv.ops`` asks at import whether some hundred operators exist, so every public
    name is answered; a call of one that is not served raises
    :class:`NotImplementedError`.
    """

    def __init__(self) -> None:
        super().__init__(NAME, doc=__doc__)
        # No loader: mmcv.utils.ext_loader.check_ops_exist() then says False, which
        # is true of the compiled operators, instead of failing on a missing spec.
        self.__spec__ = importlib.machinery.ModuleSpec(NAME, loader=None)
        self.nms = torchvision_ops.nms
        self.roi_align_forward = torchvision_ops.roi_align_forward
        self.roi_align_backward = torchvision_ops.roi_align_backward
        # mmcv.utils.collect_env, for bug reports, calls these two.
        self.get_compiler_version = lambda: 'n/a (mmcv-lite)'
        self.get_compiling_cuda_version = lambda: 'n/a (mmcv-lite)'

    def __getattr__(self, name: str) -> Callable:
        if name.startswith('_'):
            raise AttributeError(f'module {NAME!r} has no attribute {name!r}')
        return functools.partial(raise_unsupported, name)
