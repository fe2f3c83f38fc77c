# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
from mmdet.models.necks import FPN
from mmdet.registry import MODELS
from torch import Tensor

from ...utils.arguments import check_arguments
from ...utils.errors import ConfigValueError


@MODELS.register_module()
class PosePriorFPN(FPN):
    """FPN whose finest map starts with the backbone's joint heatmaps.

    The channels that a pose-trained backbone gives for the joints (see
    :class:`MoveNet`) pass the FPN unchanged, for :class:`PriorKeypointHead`.

    Args:
        prior (tuple[int, int]): Range of these channels in the first input: the first
            channel, and the one after the last.
        **kwargs: Arguments of mmdet's ``FPN``; ``out_channels`` includes the joint
        channels.

    Raises:
        ConfigValueError: The first input does not have these channels, or they are more
            than ``out_channels``.
    """

    @check_arguments
    def __init__(self, *, prior: tuple[int, int], **kwargs) -> None:
        super().__init__(**kwargs)
        start, end = prior
        if not 0 <= start < end <= self.in_channels[0]:
            raise ConfigValueError(
                f'PosePriorFPN: prior={tuple(prior)} are not channels of the first '
                f'input, which has {self.in_channels[0]}.'
            )
        if end - start > self.out_channels:
            raise ConfigValueError(
                f'PosePriorFPN: prior={tuple(prior)} are more than out_channels='
                f'{self.out_channels}.'
            )
        self.prior = slice(start, end)

    def forward(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Fuse the maps.

        Args:
            inputs (tuple[Tensor]): (N, ``in_channels[i]``, H, W) of each level.

        Returns:
            tuple[Tensor]: (N, ``out_channels``, H, W) of each level.
        """
        finest, *others = super().forward(inputs)
        prior = inputs[0][:, self.prior]
        finest = torch.cat((prior, finest[:, prior.shape[1] :]), 1)
        return (finest, *others)
