# Copyright (c) onestage_pose contributors.
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Mixed precision without loss scaling, on any device, a CPU among them.

    mmengine's ``AmpOptimWrapper`` refuses to be built without a GPU. bfloat16
    has float32's range, so its gradients need no scaling and nothing is kept in
    the checkpoint: a run may be resumed with or without it. Takes the arguments
    of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Runs the forward pass in bfloat16 where torch holds that to be safe."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
