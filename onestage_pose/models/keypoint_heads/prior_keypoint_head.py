# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from torch import Tensor, nn

from ...utils.arguments import PositiveInt, check_arguments
from ...utils.errors import ConfigValueError
from .conv_keypoint_head import ConvKeypointHead


@MODELS.register_module()
class PriorKeypointHead(ConvKeypointHead):
    """Keypoint head that refines the backbone's joint heatmaps.

    The first channels of its input, see :class:`PosePriorFPN`, are the joint logits of
    everybody in the image. The convolutions learn a correction: which of the joints
    belong to this person, and their exact positions. A keypoint that the backbone does
    not know is learned by the convolutions alone.

    Args:
        prior_scale (float): Initial factor of the first channels, to turn them into
            logits of the bins; a factor is learned for each joint.
        prior_channels (Sequence[int | None], optional): (K,) channel of each keypoint's
            prior, None for a keypoint without a prior. By default the first K, in
            order.
        **kwargs: See :class:`ConvKeypointHead`.

    Raises:
        ConfigValueError: ``prior_channels`` does not have K entries, or names channels
            that the input does not have.
    """

    @check_arguments
    def __init__(
        self,
        *,
        prior_scale: float = 1.0,
        prior_channels: Sequence[int | None] | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        scales = torch.full((self.num_keypoints,), float(prior_scale))
        self.prior_scale = nn.Parameter(scales)
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
        prior = F.interpolate(
            self.get_prior(x), scale_factor=4, mode='bilinear', align_corners=False
        )
        return super().predict_logits(x, feats) + prior

    def get_prior(self, x: Tensor) -> Tensor:
        """Return the backbone's joint heatmaps as logits: (N, K, h, w)."""
        if self.prior_channels is None:
            return x[:, : self.num_keypoints] * self.prior_scale[:, None, None]
        scale = self.prior_scale * self._has_prior
        return x[:, self._prior_index] * scale[:, None, None]


@MODELS.register_module()
class FinePriorKeypointHead(PriorKeypointHead):
    """Keypoint head with prior and details at twice the resolution of its trunk.

    It takes RoI features of 28x28 with ``sampling_ratio=1``. The trunk reads their
    averages over 2x2, which are the features of 14x14 with ``sampling_ratio=2``. The
    prior and two convolutions beside the trunk use the finer ones; the convolutions add
    details to the heatmaps of 28x28, and start from zero.

    Args:
        detail_channels (int): Channels of the first of the two.
        norm_cfg (dict, optional): See :class:`ConvKeypointHead`; also used after the
            first of the two.
        **kwargs: See :class:`PriorKeypointHead`.
    """

    upscale = 2

    @check_arguments
    def __init__(
        self,
        *,
        detail_channels: PositiveInt = 48,
        norm_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(norm_cfg=norm_cfg, **kwargs)
        in_channels, channels = self.trunk[0].in_channels, self.deconv.in_channels
        self.detail = ConvModule(
            in_channels, detail_channels, 3, padding=1, norm_cfg=norm_cfg, act_cfg=None
        )
        self.context = nn.Conv2d(channels, detail_channels, 1)
        self.refine = nn.Conv2d(detail_channels, self.num_keypoints, 3, padding=1)

    def init_weights(self) -> None:
        """Initialise as the other heads; the details start from zero."""
        super().init_weights()
        nn.init.zeros_(self.refine.weight)
        nn.init.zeros_(self.refine.bias)

    def extract(self, x: Tensor) -> Tensor:
        """Return the trunk's features (N, C', h, w) of (N, C, 2 h, 2 w)."""
        return self.trunk(F.avg_pool2d(x, 2))

    def predict_logits(self, x: Tensor, feats: Tensor) -> Tensor:
        """Predict the heatmaps.

        Args:
            x (Tensor): RoI features (N, C, 2 h, 2 w), N above 0.
            feats (Tensor): The trunk's features of them, (N, C', h, w).

        Returns:
            Tensor: (N, K, 4 h, 4 w).
        """
        context = F.interpolate(self.context(feats), scale_factor=2, mode='nearest')
        detail = self.refine(F.relu(self.detail(x) + context))
        logits = self.deconv(feats) + self.get_prior(x) + detail
        return F.interpolate(
            logits, scale_factor=2, mode='bilinear', align_corners=False
        )
