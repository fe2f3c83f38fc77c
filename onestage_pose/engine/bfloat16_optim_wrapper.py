# Copyright (c) onestage_pose contributors.
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Mixed precision without loss scaling, on any device, a CPU among them.

    mmengine's ``AmpOptimWrapper`` refuses to be built without a GPU. bfloat16
    has float32's range, so its gradients need no scaling and nothing is kept in
    the checkpoint: a run may be resumed with or without it. On a CPU that cannot
    multiply in bfloat16 and would imitate it at a tenth of the speed, it trains in
    float32 and says so. Takes the arguments of ``OptimWrapper``.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        weight = self.optimizer.param_groups[0]['params'][0]
        self.enabled = weight.device.type != 'cpu' or cpu_has_bfloat16()
        if not self.enabled:
            print_log(
                'This CPU cannot multiply in bfloat16 (it has no AVX-512): trains in '
                'float32.',
                logger='current',
                level=logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Runs the forward pass in bfloat16 where torch holds that to be safe."""
        mixed = autocast(dtype=torch.bfloat16, enabled=self.enabled)
        with super().optim_context(model), mixed:
            yield


def cpu_has_bfloat16() -> bool:
    """Whether oneDNN has kernels in bfloat16 for this CPU, not only a stand-in."""
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()
