# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...utils.arguments import PositiveInt, check_arguments

#: What is predicted of each keypoint, in this order.
OUTPUTS = ('presence', 'visibility')


@MODELS.register_module()
class VisibilityBranch(BaseModule):
    """Predict whether each keypoint is in the image and visible.

    It gives two logits for each keypoint: *presence*, whether it is in the image and
    its position can be determined (COCO's v > 0), and *visibility* if it is present (v
    = 2 against v = 1). They are predicted from the features where the heatmap expects
    the keypoint, from those of the whole RoI, and from the height of the heatmap's
    peak.

    No gradient flows into features or heatmaps, so that the branch changes no keypoint.

    ``scale`` and ``shift`` (2,) calibrate the probabilities (Platt scaling), and
    ``covariance_scale`` () the covariances of positions. They are stored in the
    checkpoint and are not trained; ``tools/model_converters/calibrate.py`` fits them.

    Args:
        in_channels (int): Channels C of the keypoint head's features.
        num_keypoints (int): Keypoints K of an instance.
        channels (int): Width of the hidden layer.
        init_cfg (dict, optional): Initialisation.
    """

    @check_arguments
    def __init__(
        self,
        in_channels: PositiveInt,
        num_keypoints: PositiveInt,
        channels: PositiveInt = 64,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.norm = nn.LayerNorm(2 * in_channels)
        self.hidden = nn.Linear(2 * in_channels, channels)
        # of each keypoint, as the layer is the same for all
        self.offset = nn.Parameter(torch.zeros(num_keypoints, channels))
        self.weight = nn.Parameter(
            torch.zeros(num_keypoints, channels + 1, len(OUTPUTS))
        )
        self.bias = nn.Parameter(torch.zeros(num_keypoints, len(OUTPUTS)))
        self.register_buffer('scale', torch.ones(len(OUTPUTS)))
        self.register_buffer('shift', torch.zeros(len(OUTPUTS)))
        self.register_buffer('covariance_scale', torch.ones(()))

    def forward(self, feats: Tensor, logits: Tensor) -> Tensor:
        """Predict presence and visibility.

        Args:
            feats (Tensor): Features (N, C, h, w) of N instances.
            logits (Tensor): Heatmaps (N, K, H, W), H and W the same
                multiple of h and w.

        Returns:
            Tensor: Logits (N, K, 2) float32, not calibrated.
        """
        # autocast would round the sum over the bins
        with torch.autocast(feats.device.type, enabled=False):
            feats, logits = feats.detach().float(), logits.detach().float()
            places = logits.flatten(2).softmax(-1)
            peak = places.amax(-1, keepdim=True).log()
            local = self._sum_blocks(places, feats) @ feats.flatten(2).transpose(1, 2)
            context = feats.mean((2, 3))[:, None].expand_as(local)
            hidden = self.hidden(self.norm(torch.cat((local, context), -1)))
            hidden = torch.cat((F.relu(hidden + self.offset), peak), -1)
            # (K, N, 2): a layer of each keypoint's own
            output = torch.baddbmm(
                self.bias[:, None], hidden.transpose(0, 1), self.weight
            )
            return output.transpose(0, 1)

    def _sum_blocks(self, places: Tensor, feats: Tensor) -> Tensor:
        """Sum a distribution (N, K, H * W) over the bins of each of (h, w) features.

        By a sum over rows and a product over columns, the fastest way on a CPU.
        """
        height, width = int(feats.shape[-2]), int(feats.shape[-1])
        stride = math.isqrt(int(places.shape[-1]) // (height * width))
        rows = places.reshape(-1, stride, width * stride).sum(1)
        blocks = rows.reshape(-1, stride) @ rows.new_ones(stride)
        return blocks.reshape(-1, len(self.bias), height * width)

    def calibrate(self, output: Tensor) -> Tensor:
        """Turn logits into calibrated probabilities.

        Args:
            output (Tensor): (N, K, 2), as :meth:`forward` returns them.

        Returns:
            Tensor: (N, K, 2) float32, of presence, and of visibility where present.
        """
        return (output.float() * self.scale + self.shift).sigmoid()
