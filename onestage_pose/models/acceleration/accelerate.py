# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from mmdet.models.backbones import ResNet
from torch import Tensor, nn

from .folded_norm import fold_norms
from .winograd_conv import WinogradConv2d


def accelerate(
    model: nn.Module, winograd: bool | None = None, folded_norms: bool | None = None
) -> nn.Module:
    """Make a model predict faster on a CPU, in place.

    Layers are replaced by ones that compute the same in another way without gradients,
    and are plain otherwise: training, parameters, their names and hooks do not change.
    Calling it again is harmless.

    Args:
        model (nn.Module): Any, such as a :class:`KeypointRCNN`.
        winograd (bool, optional): Whether larger 3x3 convolutions are computed by
            Winograd's algorithm, see :class:`WinogradConv2d`. By default on a CPU with
            AVX2 or AVX-512, where it was measured to be faster.
        folded_norms (bool, optional): Whether frozen batch norm of mmdet's ResNets is
            folded into the convolutions, see :func:`fold_norms`. By default it is.

    Returns:
        nn.Module: ``model``.
    """
    if winograd is None:
        winograd = torch.backends.cpu.get_cpu_capability() in ('AVX2', 'AVX512')
    if winograd:
        WinogradConv2d.convert(model)
    if folded_norms is None or folded_norms:
        for module in list(model.modules()):
            if isinstance(module, ResNet):
                fold_norms(module)
    return model


def use_channels_last(batch_inputs: Tensor) -> Tensor:
    """Return images (B, 3, H, W) in the fastest memory order.

    On a CPU without gradients this is channels last, which convolutions keep and are
    faster with. Gradients of 3x3 kernels are several times slower with it.
    """
    if batch_inputs.device.type == 'cpu' and not torch.is_grad_enabled():
        return batch_inputs.contiguous(memory_format=torch.channels_last)
    return batch_inputs
