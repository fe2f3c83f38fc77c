# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from mmdet.models.dense_heads import AnchorHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmengine.utils import apply_to
from torch import nn


def register_float32_outputs(model: nn.Module) -> None:
    """Make the heads that predict boxes return float32 under mixed precision.

    mmdet computes anchors and boxes in the dtype of these outputs: bfloat16 moves a
    corner at 1000 px by up to 4 px.

    Args:
        model (nn.Module): Gets a forward hook at every anchor head and box head.
    """
    for module in model.modules():
        if isinstance(module, (AnchorHead, BBoxHead)):
            module.register_forward_hook(cast_outputs_to_float32)


def cast_outputs_to_float32(module: nn.Module, args: tuple, output: tuple) -> tuple:
    """Return the tensors in ``output``, nested anyhow, as float32: a forward hook."""
    return apply_to(output, torch.is_tensor, torch.Tensor.float)
