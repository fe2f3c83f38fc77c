# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FrozenDepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution with frozen weights and a fast backward pass.

    PyTorch has no fast backward pass of depthwise convolutions in bfloat16 on a CPU.
    With frozen weights, the gradient of the input is a depthwise convolution of the
    output's gradient with the mirrored weights, which can use the fast code of the
    forward pass. The values are those of ``nn.Conv2d``.

    Args: see ``nn.Conv2d``; without bias, undilated, padded by zeros, and with
    ``groups == in_channels == out_channels``.
    """

    @classmethod
    def from_conv(cls, conv: nn.Conv2d) -> FrozenDepthwiseConv2d:
        """Take over the weights of ``conv``, frozen.

        Args:
            conv (nn.Conv2d): One that :meth:`can_replace` accepts.

        Returns:
            FrozenDepthwiseConv2d: With the same parameter names.
        """
        frozen = cls(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            groups=conv.groups,
            bias=False,
        )
        frozen.weight = conv.weight
        return frozen.requires_grad_(False)

    @staticmethod
    def can_replace(module: nn.Module) -> bool:
        """Return whether ``module`` is a convolution that this class can replace."""
        return (
            # subclasses pad in their own ways
            type(module) is nn.Conv2d
            and module.groups == module.in_channels == module.out_channels > 1
            and module.bias is None
            and module.dilation == (1, 1)
            and module.padding_mode == 'zeros'
            and not isinstance(module.padding, str)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H', W')."""
        if not (torch.is_grad_enabled() and x.requires_grad):
            return super().forward(x)
        weight = self.weight
        if torch.is_autocast_enabled(x.device.type):
            dtype = torch.get_autocast_dtype(x.device.type)
            x, weight = x.to(dtype), weight.to(dtype)
        return _DepthwiseConv.apply(x, weight, self.stride, self.padding)


class _DepthwiseConv(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, stride: tuple, padding: tuple):
        ctx.save_for_backward(weight)
        ctx.size, ctx.stride, ctx.padding = x.shape[-2:], stride, padding
        return F.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple:
        (weight,) = ctx.saved_tensors
        kernel = weight.shape[-2:]
        # Zeros between the rows and columns that the stride stepped over, and behind
        # the last, where the input went on; then one row of gradient is left for each
        # of the input.
        spread = [
            size + 2 * pad - k + 1
            for size, pad, k in zip(ctx.size, ctx.padding, kernel)
        ]
        if list(grad.shape[-2:]) != spread:
            strided = grad
            grad = torch.zeros(
                (*strided.shape[:2], *spread),
                dtype=strided.dtype,
                device=strided.device,
            ).contiguous(memory_format=torch.channels_last)
            grad[..., :: ctx.stride[0], :: ctx.stride[1]] = strided
        padding = [k - 1 - pad for k, pad in zip(kernel, ctx.padding)]
        grad = F.conv2d(grad, weight.flip(-2, -1), None, 1, padding, groups=len(weight))
        return grad, None, None, None
