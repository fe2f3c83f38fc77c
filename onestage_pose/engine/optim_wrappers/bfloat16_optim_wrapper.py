# Copyright (c) onestage_pose contributors.
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner.amp import autocast
from torch import nn

from ...utils.arguments import check_arguments
from ...utils.mixed_precision import can_autocast


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Train in bfloat16 mixed precision, without loss scaling, on a GPU or a CPU.

    mmengine's ``AmpOptimWrapper`` refuses to be built without a GPU. bfloat16
    has float32's range, so its gradients need no scaling and nothing is kept in
    the checkpoint: a run may be resumed with or without it. On a CPU that cannot
    multiply in bfloat16 and would emulate it at a tenth of the speed, it trains in
    float32 and logs that. Takes the arguments of ``OptimWrapper``.
    """

    @check_arguments
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        weight = self.optimizer.param_groups[0]['params'][0]
        self.enabled = can_autocast(weight.device.type, torch.bfloat16, 'trains')

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in bfloat16 for the operators that autocast considers
        safe.
        """
        mixed = autocast(dtype=torch.bfloat16, enabled=self.enabled)
        with super().optim_context(model), mixed:
            yield
