# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from mmdet.registry import MODELS
from mmengine.utils import to_2tuple
from torch import Tensor, nn

from ...utils.arguments import NonNegativeFloat, PositiveInt, check_arguments


@MODELS.register_module()
class GaussianCrossEntropyLoss(nn.Module):
    """Cross-entropy of a heatmap against a Gaussian about the keypoint's bin.

    The cross-entropy against the bin alone treats a prediction in the next bin as fully
    wrong. With few training images, the Gaussian helps. For ``loss_keypoint`` of a
    keypoint head.

    Args:
        heatmap_size (int | tuple[int, int]): Bins [W, H], as of the codec.
        sigma (float): Standard deviation of the Gaussian, in bins.
        loss_weight (float): Factor of the loss.

    Raises:
        ValueError: If ``sigma`` is not positive.
    """

    @check_arguments
    def __init__(
        self,
        heatmap_size: PositiveInt | tuple[PositiveInt, PositiveInt] = 56,
        sigma: float = 1.0,
        loss_weight: NonNegativeFloat = 1.0,
    ) -> None:
        super().__init__()
        if sigma <= 0:
            raise ValueError(
                f'GaussianCrossEntropyLoss: sigma={sigma} must be positive; '
                'CrossEntropyLoss is the loss without a Gaussian.'
            )
        self.heatmap_size = tuple(to_2tuple(heatmap_size))
        self.sigma = sigma
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the mean loss of M keypoints.

        Args:
            logits (Tensor): (M, H * W), unnormalised.
            labels (Tensor): (M,) int64, ``row * W + column`` of the bins.

        Returns:
            Tensor: The mean, times ``loss_weight``.

        Raises:
            ValueError: The number of logits is not H * W.
        """
        width, height = self.heatmap_size
        if logits.shape[1] != width * height:
            raise ValueError(
                f'GaussianCrossEntropyLoss was built for heatmap_size [W, H]='
                f'{[width, height]} but got {logits.shape[1]} bins: set its '
                "heatmap_size to the codec's."
            )
        rows = self._gaussian(labels // width, height)
        columns = self._gaussian(labels % width, width)
        log_probability = logits.float().log_softmax(1).unflatten(1, (height, width))
        # the Gaussian is a product: weigh the rows, then the columns
        with torch.autocast(logits.device.type, enabled=False):
            weighted = (rows[:, None] @ log_probability)[:, 0]
        return -self.loss_weight * (weighted * columns).sum(1).mean()

    def _gaussian(self, center: Tensor, bins: int) -> Tensor:
        """(M, bins) weights about (M,) bins, of sum 1."""
        place = torch.arange(bins, device=center.device)
        distance = (place - center[:, None]) / self.sigma
        return (-0.5 * distance**2).softmax(1)
