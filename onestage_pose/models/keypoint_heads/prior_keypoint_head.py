# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ...utils.errors import ConfigValueError
from .conv_keypoint_head import ConvKeypointHead


@MODELS.register_module()
class PriorKeypointHead(ConvKeypointHead):
    """Keypoint head that corrects what the backbone says of the joints.

    The first channels of its input, see :class:`PosePriorFPN`, are the joints' logits
    for everybody in the image. The convolutions learn what is to be added: which of
    them are this person's, and where exactly they lie. A keypoint that the backbone
    does not know is learned by them alone.

    Args:
        prior_scale (float): What the first channels are multiplied by at first, to be
            logits of the bins; learned for each joint.
        prior_channels (Sequence[int | None], optional): (K,) the channel that is each
            keypoint's prior, None for a keypoint without. By default the first K, in
            their order.
        **kwargs: See :class:`ConvKeypointHead`.

    Raises:
        ConfigValueError: ``prior_channels`` are not K, or no channels of the input.
    """

    def __init__(
        self,
        *,
        prior_scale: float = 1.0,
        prior_channels: Sequence[int | None] | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.prior_scale = nn.Parameter(torch.full((self.num_keypoints,), prior_scale))
        self.prior_channels = prior_channels
        if prior_channels is None:
            return
        known = range(self.trunk[0].in_channels)
        is_known = all(each is None or each in known for each in prior_channels)
        if len(prior_channels) != self.num_keypoints or not is_known:
            raise ConfigValueError(
                f'PriorKeypointHead: prior_channels={list(prior_channels)!r}: give '
                f'{self.num_keypoints}, one for each keypoint, from 0 to {known[-1]}, '
                'or None for a keypoint that the backbone does not know.'
            )
        index = torch.tensor([each or 0 for each in prior_channels])
        has_prior = torch.tensor([float(each is not None) for each in prior_channels])
        self.register_buffer('_prior_index', index, persistent=False)
        self.register_buffer('_has_prior', has_prior, persistent=False)

    def predict_logits(self, x: Tensor, feats: Tensor) -> Tensor:
        """Predict the heatmaps: see :class:`BaseKeypointHead`; the prior is added."""
        if self.prior_channels is None:
            prior, scale = x[:, : self.num_keypoints], self.prior_scale
        else:
            prior, scale = x[:, self._prior_index], self.prior_scale * self._has_prior
        prior = prior * scale[:, None, None]
        prior = F.interpolate(
            prior, scale_factor=4, mode='bilinear', align_corners=False
        )
        return super().predict_logits(x, feats) + prior
