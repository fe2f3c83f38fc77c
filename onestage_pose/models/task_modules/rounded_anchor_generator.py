# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import copy

import torch
from mmdet.models.task_modules.prior_generators import AnchorGenerator
from mmdet.registry import TASK_UTILS
from torch import Tensor

from ...utils.arguments import check_arguments


@TASK_UTILS.register_module()
class RoundedAnchorGenerator(AnchorGenerator):
    """mmdet's anchor generator with torchvision's anchors.

    Anchors have whole pixels as corners about their centre. Their distance is the
    height of the image over that of the map, rounded down: for an image of 800 pixels,
    the coarsest map has 13 rows, whose anchors are 61 pixels apart, not 64.

    Args: see mmdet's ``AnchorGenerator``; the finest of ``strides`` divides the sides
        of the padded images.
    """

    __init__ = check_arguments(AnchorGenerator.__init__)

    def gen_single_level_base_anchors(self, *args, **kwargs) -> Tensor:
        """Return the anchors (A, 4) of a map about 0, see mmdet's."""
        return super().gen_single_level_base_anchors(*args, **kwargs).round()

    def grid_priors(
        self,
        featmap_sizes: list[tuple[int, int]],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = 'cuda',
    ) -> list[Tensor]:
        """Return the anchors (H * W * A, 4) of each map, in pixels.

        Args:
            featmap_sizes (list[tuple[int, int]]): (H, W) of each map, finest first.
            dtype (torch.dtype): Of the anchors.
            device (torch.device | str): Of the anchors.
        """
        stride_w, stride_h = self.strides[0]
        height, width = featmap_sizes[0][0] * stride_h, featmap_sizes[0][1] * stride_w
        stretched = copy.copy(self)
        stretched.strides = [(width // w, height // h) for h, w in featmap_sizes]
        return super(RoundedAnchorGenerator, stretched).grid_priors(
            featmap_sizes, dtype, device
        )
