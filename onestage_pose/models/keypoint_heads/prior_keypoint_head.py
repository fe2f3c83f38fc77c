# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from .conv_keypoint_head import ConvKeypointHead


@MODELS.register_module()
class PriorKeypointHead(ConvKeypointHead):
    """Keypoint head that corrects what the backbone says of the joints.

    The first K channels of its input, see :class:`PosePriorFPN`, are the joints' logits
    for everybody in the image. The convolutions learn what is to be added: which of
    them are this person's, and where exactly they lie.

    Args:
        prior_scale (float): What the first channels are multiplied by at first, to be
            logits of the bins; learned for each joint.
        **kwargs: See :class:`ConvKeypointHead`.
    """

    def __init__(self, *, prior_scale: float = 1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.prior_scale = nn.Parameter(torch.full((self.num_keypoints,), prior_scale))

    def predict_logits(self, x: Tensor, feats: Tensor) -> Tensor:
        """Predict the heatmaps: see :class:`BaseKeypointHead`; the prior is added."""
        prior = x[:, : self.num_keypoints] * self.prior_scale[:, None, None]
        prior = F.interpolate(
            prior, scale_factor=4, mode='bilinear', align_corners=False
        )
        return super().predict_logits(x, feats) + prior
