# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ...utils.arguments import NonNegativeFloat, check_arguments


@MODELS.register_module()
class KnownBCELoss(nn.Module):
    """Binary cross-entropy over known targets, averaged for each output by itself.

    Args:
        loss_weight (float): Factor.
    """

    @check_arguments
    def __init__(self, loss_weight: NonNegativeFloat = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): (..., O) of O outputs.
            targets (Tensor): Same shape: 0, 1, or -1 if not known.

        Returns:
            Tensor: () float32, the sum of the outputs' means; 0 with a gradient if
            nothing is known.
        """
        logits, targets = logits.float().flatten(0, -2), targets.flatten(0, -2)
        known = targets >= 0
        loss = F.binary_cross_entropy_with_logits(
            logits, targets.clamp(min=0).to(logits), reduction='none'
        )
        mean = (loss * known).sum(0) / known.sum(0).clamp(min=1)
        return self.loss_weight * mean.sum()
