# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from torch import nn

from ...utils.arguments import NonNegativeInt, PositiveInt, check_arguments
from ..layers import GlobalContextModule
from .base_keypoint_head import CODEC, LOSS_KEYPOINT, LOSS_VISIBILITY, BaseKeypointHead


@MODELS.register_module()
class GCMKeypointHead(BaseKeypointHead):
    """Keypoint head of arXiv 2301.04842: convs and global context modules.

    A 1x1 conv to ``conv_out_channels``, then ``num_stages`` times a
    :class:`GlobalContextModule` and ``num_convs`` 3x3 convs with ReLU.

    Args:
        num_stages (int): Number of stages, each a context module and convolutions.
        num_convs (int): 3x3 convolutions of each stage.
        in_channels (int): Channels of the RoI features.
        conv_out_channels (int): Channels inside the head.
        roi_feat_size (int | tuple[int, int]): Height and width of the RoI
            features; attention learns a table of this size.
        num_heads (int): Attention heads of each context module.
        num_keypoints (int): Keypoints K of a person.
        norm_cfg (dict): Norm of the context modules, over the RoIs of a batch.
        conv_norm_cfg (dict, optional): Norm after each of the other convolutions, over
            the RoIs of a batch too. Default None, as released.
        init_cfg (dict, optional): See :class:`BaseKeypointHead`.
        codec (dict): See :class:`BaseKeypointHead`.
        loss_keypoint (dict): See :class:`BaseKeypointHead`.
        visibility_branch (dict, optional): See :class:`BaseKeypointHead`.
        loss_visibility (dict): See :class:`BaseKeypointHead`.
    """

    @check_arguments
    def __init__(
        self,
        num_stages: NonNegativeInt = 2,
        num_convs: NonNegativeInt = 4,
        in_channels: PositiveInt = 256,
        conv_out_channels: PositiveInt = 512,
        roi_feat_size: PositiveInt | tuple[PositiveInt, PositiveInt] = 14,
        num_heads: PositiveInt = 4,
        num_keypoints: PositiveInt = 17,
        norm_cfg: dict = dict(type='BN'),  # noqa: B006
        conv_norm_cfg: dict | None = None,
        init_cfg: dict | list | None = None,
        codec: dict = CODEC,
        loss_keypoint: dict = LOSS_KEYPOINT,
        visibility_branch: dict | None = None,
        loss_visibility: dict = LOSS_VISIBILITY,
    ) -> None:
        super().__init__(
            conv_out_channels,
            num_keypoints,
            init_cfg,
            codec,
            loss_keypoint,
            visibility_branch=visibility_branch,
            loss_visibility=loss_visibility,
        )
        layers: list[nn.Module] = [
            ConvModule(in_channels, conv_out_channels, 1, norm_cfg=conv_norm_cfg)
        ]
        for _ in range(num_stages):
            layers.append(
                GlobalContextModule(
                    conv_out_channels, roi_feat_size, num_heads, norm_cfg
                )
            )
            layers.extend(
                ConvModule(
                    conv_out_channels,
                    conv_out_channels,
                    3,
                    padding=1,
                    norm_cfg=conv_norm_cfg,
                )
                for _ in range(num_convs)
            )
        self.trunk = nn.Sequential(*layers)
