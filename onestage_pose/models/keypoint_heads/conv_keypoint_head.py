# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from torch import nn

from ...utils.arguments import NonNegativeInt, PositiveInt, check_arguments
from .base_keypoint_head import CODEC, LOSS_KEYPOINT, LOSS_VISIBILITY, BaseKeypointHead


@MODELS.register_module()
class ConvKeypointHead(BaseKeypointHead):
    """Keypoint head of Mask R-CNN (arXiv 1703.06870): a stack of 3x3 convs.

    Args:
        num_convs (int): Number of 3x3 convolutions, each with bias and ReLU.
        in_channels (int): Channels of the RoI features.
        conv_out_channels (int): Channels of every convolution.
        num_keypoints (int): Keypoints K of a person.
        norm_cfg (dict, optional): Norm after each convolution, over the RoIs of a
            batch. Default None, as in Detectron2.
        init_cfg (dict, optional): See :class:`BaseKeypointHead`.
        codec (dict): See :class:`BaseKeypointHead`.
        loss_keypoint (dict): See :class:`BaseKeypointHead`.
        continuous_keypoints (bool): See :class:`BaseKeypointHead`.
        visibility_branch (dict, optional): See :class:`BaseKeypointHead`.
        loss_visibility (dict): See :class:`BaseKeypointHead`.
    """

    @check_arguments
    def __init__(
        self,
        num_convs: NonNegativeInt = 8,
        in_channels: PositiveInt = 256,
        conv_out_channels: PositiveInt = 512,
        num_keypoints: PositiveInt = 17,
        norm_cfg: dict | None = None,
        init_cfg: dict | list | None = None,
        codec: dict = CODEC,
        loss_keypoint: dict = LOSS_KEYPOINT,
        continuous_keypoints: bool = False,
        visibility_branch: dict | None = None,
        loss_visibility: dict = LOSS_VISIBILITY,
    ) -> None:
        super().__init__(
            conv_out_channels,
            num_keypoints,
            init_cfg,
            codec,
            loss_keypoint,
            continuous_keypoints,
            visibility_branch,
            loss_visibility,
        )
        widths = [in_channels] + [conv_out_channels] * num_convs
        self.trunk = nn.Sequential(
            *(
                ConvModule(c_in, c_out, 3, padding=1, norm_cfg=norm_cfg)
                for c_in, c_out in zip(widths[:-1], widths[1:])
            )
        )
