# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmcv.ops import RoIAlign
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.registry import MODELS
from torch import Tensor

from ...utils.arguments import PositiveInt, check_arguments
from ...utils.errors import ConfigValueError


class ZeroExtendedRoIAlign(RoIAlign):
    """RoIAlign on a map that goes on in zeros where boxes leave it.

    RoIAlign alone repeats the border pixel for another pixel outwards. As in
    the released program of arXiv 2301.04842, a side of the maps is extended as
    soon as any box of the batch leaves it, for all boxes then, and by whole
    multiples of ``STEP`` map pixels. One pixel would give the same values but
    for the rounding of the corners, to which gradients are sensitive.
    """

    STEP = 8

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """Pool (B, C, H, W) to (N, C, h, w); RoIs (N, 5) as in RoIAlign."""
        if len(rois) == 0:
            return super().forward(input, rois)
        height, width = input.shape[-2:]
        far = rois.new_tensor([width, height]) / self.spatial_scale
        near_side = -rois[:, 1:3].amin(0)
        far_side = rois[:, 3:5].amax(0) - far
        # Farther out than the map is large RoIAlign finds zeros by itself.
        needed = torch.cat((near_side, far_side)).clamp(min=0).minimum(far.repeat(2))
        left, top, right, bottom = (
            self.STEP * math.ceil(pixels * self.spatial_scale / self.STEP)
            for pixels in needed.tolist()
        )
        shift = rois.new_tensor([0, left, top, left, top]) / self.spatial_scale
        return super().forward(F.pad(input, (left, right, top, bottom)), rois + shift)


@MODELS.register_module()
class RoIFeatureExtractor(SingleRoIExtractor):
    """mmdet's single-level RoI extractor, exact under mixed precision.

    Boxes and features are pooled in float32 whatever the features' dtype is. mmdet's
    extractor casts the boxes to that dtype, which moves a corner at 1000 px by up to 4
    px in bfloat16.

    Args:
        roi_layer (dict): RoI layer, ``dict(type='RoIAlign', ...)``.
        out_channels (int): Channels C of the feature maps.
        featmap_strides (list[int]): Strides of the maps to pool from.
        finest_scale (int): Boxes of a side under twice this (the geometric
            mean, px) come from the first map, under four times from the
            second, and so on.
        zero_extend (bool): Whether maps are extended by zeros beyond their border, so
            that boxes may leave the image; ``roi_layer`` must then be RoIAlign.
        levels (list[int], optional): Which of the detector's maps those are, by their
            indices; by default the first ones.
        init_cfg (dict, optional): Initialisation.

    Raises:
        ConfigValueError: There are no strides, or ``levels`` are not as many, or
            negative.
        ValueError: ``zero_extend`` is set for another layer than RoIAlign.
    """

    @check_arguments
    def __init__(
        self,
        roi_layer: dict,
        out_channels: PositiveInt,
        featmap_strides: list[PositiveInt],
        finest_scale: PositiveInt = 56,
        zero_extend: bool = False,
        levels: list[int] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if not featmap_strides:
            raise ConfigValueError('RoIFeatureExtractor: featmap_strides is empty.')
        if levels is not None and (
            len(levels) != len(featmap_strides) or min(levels) < 0
        ):
            raise ConfigValueError(
                f'RoIFeatureExtractor: levels={levels!r}: give the index of a map, '
                f'from 0 on, for each of featmap_strides={featmap_strides!r}.'
            )
        if zero_extend:
            if roi_layer['type'] != 'RoIAlign':
                raise ValueError(
                    f'RoIFeatureExtractor: zero_extend=True needs '
                    f'roi_layer.type="RoIAlign", got {roi_layer["type"]!r}.'
                )
            roi_layer = {**roi_layer, 'type': ZeroExtendedRoIAlign}
        super().__init__(
            roi_layer, out_channels, featmap_strides, finest_scale, init_cfg
        )
        self.levels = list(range(len(featmap_strides))) if levels is None else levels

    @property
    def num_inputs(self) -> int:
        """int: How many of the detector's maps, from the first on, it is given."""
        return max(self.levels) + 1

    def pick(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the maps that are pooled from, in the order of their strides."""
        return tuple(feats[level] for level in self.levels)

    def forward(
        self,
        feats: tuple[Tensor, ...],
        rois: Tensor,
        roi_scale_factor: float | None = None,
    ) -> Tensor:
        """Pool each RoI from the level that fits its size.

        Args:
            feats (tuple[Tensor]): The detector's first ``num_inputs`` maps, each
                (B, C, H, W).
            rois (Tensor): (N, 5), index into the batch and x1, y1, x2, y2 in
                the network input's pixels.
            roi_scale_factor (float, optional): As in mmdet.

        Returns:
            Tensor: (N, C, h, w) float32.
        """
        with torch.autocast(rois.device.type, enabled=False):
            feats, rois = tuple(f.float() for f in self.pick(feats)), rois.float()
            if len(feats) == 1 or not len(rois) or torch.is_grad_enabled():
                return super().forward(feats, rois, roi_scale_factor)
            return self._pool_levels(feats, rois, roi_scale_factor)

    def _pool_levels(
        self, feats: tuple[Tensor, ...], rois: Tensor, roi_scale_factor: float | None
    ) -> Tensor:
        """As mmdet's, but that it waits for the device once and not for each level."""
        levels = self.map_roi_levels(rois, len(feats))
        order = levels.argsort(stable=True)
        level = torch.arange(len(feats), device=rois.device)
        numbers = (levels == level[:, None]).sum(1).tolist()
        if roi_scale_factor is not None:
            rois = self.roi_rescale(rois, roi_scale_factor)
        size = self.roi_layers[0].output_size
        pooled = feats[0].new_empty(len(rois), self.out_channels, *size)
        for layer, feat, members in zip(self.roi_layers, feats, order.split(numbers)):
            if len(members):
                pooled[members] = layer(feat, rois[members])
        return pooled
