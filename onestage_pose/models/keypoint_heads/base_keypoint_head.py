# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import KeypointOutput
from ..layers.global_context_module import INIT_CFG


class BaseKeypointHead(BaseModule):
    """RoI features to keypoint logits: a trunk, a transposed conv, bilinear x2.

    A subclass sets ``self.trunk``, whose output has ``channels`` channels and
    the resolution of its input.

    Args:
        channels (int): Channels that the trunk gives.
        num_keypoints (int): Keypoints K of a person.
        init_cfg (dict, optional): Initialisation. By default convolutions are
            Kaiming-normal (fan_out), biases 0, as in Detectron2, and norm weights
            uniform in [0, 1].
    """

    def __init__(
        self,
        channels: int,
        num_keypoints: int,
        init_cfg: dict | list | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = INIT_CFG
        super().__init__(init_cfg=init_cfg)
        self.num_keypoints = num_keypoints
        self.trunk: nn.Module
        self.deconv = nn.ConvTranspose2d(
            channels, num_keypoints, 4, stride=2, padding=1
        )

    def forward(self, x: Tensor) -> KeypointOutput:
        """Predict each person's keypoint logits.

        Args:
            x (Tensor): RoI features (N, C, h, w), N may be 0.

        Returns:
            KeypointOutput: Logits (N, K, 4 h, 4 w).
        """
        if len(x) == 0:
            # batch norm in training mode refuses an empty batch
            height, width = (4 * size for size in x.shape[-2:])
            return KeypointOutput(x.new_zeros(0, self.num_keypoints, height, width))
        logits = self.deconv(self.trunk(x))
        return KeypointOutput(
            F.interpolate(logits, scale_factor=2, mode='bilinear', align_corners=False)
        )
