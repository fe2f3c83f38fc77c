# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmengine.runner import load_checkpoint
from torch import Tensor, nn

from ...utils.arguments import check_arguments
from ...utils.errors import ConfigValueError

# MobileNetV2's: of each inverted residual the channels (at width 1) and the stride
_BLOCKS = (
    *((16, 1),),
    *((24, 2), (24, 1)),
    *((32, 2), (32, 1), (32, 1)),
    *((64, 2), (64, 1), (64, 1), (64, 1), (96, 1), (96, 1), (96, 1)),
    *((160, 2), (160, 1), (160, 1), (320, 1)),
)
_EXPANSION = 6
# the last block at strides 2, 4, 8, 16 and 32
_STAGE_ENDS = (0, 2, 5, 12, 16)
# what MoveNet's own FPN reads at strides 4, 8 and 16
_POSE_TAPS = (2, 5, 9)
_WIDE_CHANNELS = 1280


class SamePadConv2d(nn.Conv2d):
    """A convolution padded by zeros as TensorFlow's ``SAME`` does.

    The output has ceil(size / stride) rows and columns. Where the padding is odd, as
    with stride 2 on an even size, the larger half is below and to the right; PyTorch's
    own ``padding=1`` would move the output by a pixel of the input.

    Args: see ``nn.Conv2d``; undilated and without ``padding``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', ceil(H / stride), ceil(W / stride)) of (N, C, H, W)."""
        padding, first = zip(
            *(self._padding_of(int(x.shape[axis - 2]), axis) for axis in (0, 1))
        )
        out = F.conv2d(
            x, self.weight, self.bias, self.stride, padding, groups=self.groups
        )
        return out[:, :, first[0] :, first[1] :]

    def _padding_of(self, size: int, axis: int) -> tuple[int, int]:
        """Return the padding of both sides, and the first output that is one.

        Where the sides are padded unequally, a stride more makes them equal: the output
        before the first is left out then. A padded copy of the input would take longer.
        """
        kernel, stride = self.kernel_size[axis], self.stride[axis]
        outputs = -(-size // stride)
        total = max((outputs - 1) * stride + kernel - size, 0)
        return (total // 2 + stride, 1) if total % 2 else (total // 2, 0)


class InvertedResidual(nn.Module):
    """MobileNetV2's block, batch norm folded: wider, depthwise 3x3, narrower again.

    timm's has no biases, and batch norm after each convolution instead.

    Args:
        in_channels (int): Channels of the input.
        expanded (int): Channels inside; if ``in_channels``, they are not expanded.
        out_channels (int): Channels of the output.
        stride (int): Of the depthwise convolution.
    """

    def __init__(
        self, in_channels: int, expanded: int, out_channels: int, stride: int
    ) -> None:
        super().__init__()
        widens = expanded != in_channels
        self.expand = nn.Conv2d(in_channels, expanded, 1) if widens else None
        self.depthwise = SamePadConv2d(expanded, expanded, 3, stride, groups=expanded)
        self.project = nn.Conv2d(expanded, out_channels, 1)
        self.adds_input = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H / stride, W / stride) of (N, C, H, W), not rectified."""
        out = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out = self.project(F.relu6(self.depthwise(out), inplace=True))
        return x + out if self.adds_input else out


class SeparableConv(nn.Sequential):
    """A depthwise 3x3 convolution without bias, a pointwise one with, and ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = SamePadConv2d(
            in_channels, in_channels, 3, groups=in_channels, bias=False
        )
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)
        self.act = nn.ReLU(inplace=True)


class PoseMaps(nn.Module):
    """MoveNet's own FPN and those of its heads that say where people are.

    Args:
        channels (tuple[int]): Channels of the maps at strides 4, 8 and 16.
        heads (dict[str, int]): Output channels of each head, in their order.
    """

    CHANNELS = 24
    # of the laterals at strides 32, 16, 8, 4; at 16, 8, 4 smoothed to the second
    LATERALS = (64, 64, 32, CHANNELS)
    SMOOTHED = (32, CHANNELS, CHANNELS)
    HEAD_CHANNELS = 96

    def __init__(self, channels: tuple[int, ...], heads: dict[str, int]) -> None:
        super().__init__()
        inputs = (_WIDE_CHANNELS, *channels[::-1])
        self.lateral = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 1) for c_in, c_out in zip(inputs, self.LATERALS)
        )
        self.smooth = nn.ModuleList(
            SeparableConv(c_in, c_out)
            for c_in, c_out in zip(self.LATERALS[1:], self.SMOOTHED)
        )
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    SeparableConv(self.CHANNELS, self.HEAD_CHANNELS),
                    nn.Conv2d(self.HEAD_CHANNELS, c_out, 1),
                )
                for name, c_out in heads.items()
            }
        )
        self.num_channels = self.CHANNELS + sum(heads.values())

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Return fused features and what the heads make of them.

        Args:
            maps (list[Tensor]): At strides 4, 8, 16 and the wide one at 32.

        Returns:
            Tensor: (N, ``num_channels``, H / 4, W / 4); heads give logits, and sizes
            in pixels of this map.
        """
        out = self.lateral[0](maps[-1])
        for lateral, smooth, finer in zip(self.lateral[1:], self.smooth, maps[-2::-1]):
            out = F.interpolate(
                out, scale_factor=2, mode='bilinear', align_corners=False
            )
            out = smooth(out + lateral(finer))
        return torch.cat([out, *(head(out) for head in self.heads.values())], 1)


@MODELS.register_module()
class MoveNet(BaseModule):
    """Backbone of Google's MoveNet: a MobileNetV2 trained for human poses.

    It takes RGB from -1 to 1: ``mean`` and ``std`` of the data preprocessor are both
    1 / 0.007843017578125 = 127.502. Height and width must be multiples of 32 with
    ``pose_maps``. The publisher has folded batch norm into the weights, so they need a
    low learning rate; ``norm_outputs`` normalises the outputs.

    Args:
        arch (str): ``'lightning'``, ``'multipose'`` or ``'thunder'``, whose widths
            are 1, 1.5 and 1.75 times MobileNetV2's.
        frozen_stages (int): The layers down to stride 2 (0), 4 (1), 8 (2), 16 (3) and
            32 (4) do not learn, nor with 5 what ``pose_maps`` adds; -1 freezes none.
        pose_maps (bool): Also run MoveNet's own FPN and heads: its 24 fused features,
            the logits of a person's centre and of the 17 joints, and for multipose the
            size of the person centred there are appended to the map at stride 4 and,
            averaged, to the others.
        norm_outputs (bool): Normalise every channel of the outputs to mean 0 and
            variance 1 by batch norm without weights; their ranges differ much (some
            reach 80, others 1).
        init_cfg (dict, optional): ``dict(type='Pretrained', checkpoint=FILE)`` with
            weights that ``tools/model_converters/movenet_to_onestage.py`` wrote;
            weights of parts that this model does not have are ignored. With
            ``prefix='backbone'``, FILE is a checkpoint of a whole detector.

    Raises:
        ConfigValueError: ``arch`` or ``frozen_stages`` has another value.
    """

    WIDTHS = {'lightning': 1.0, 'multipose': 1.5, 'thunder': 1.75}
    MAX_FROZEN = len(_STAGE_ENDS)
    strides = (4, 8, 16, 32)

    @check_arguments
    def __init__(
        self,
        arch: str = 'lightning',
        frozen_stages: int = -1,
        pose_maps: bool = False,
        norm_outputs: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if arch not in self.WIDTHS:
            raise ConfigValueError(
                f'MoveNet: arch={arch!r} is unknown, use one of {sorted(self.WIDTHS)}.'
            )
        if frozen_stages not in range(-1, self.MAX_FROZEN + 1):
            raise ConfigValueError(
                f'MoveNet: frozen_stages={frozen_stages!r} must be a whole number from '
                f'-1 to {self.MAX_FROZEN}.'
            )
        width = self.WIDTHS[arch]
        stem = round_channels(32 * width)
        self.stem = SamePadConv2d(3, stem, 3, 2)
        self.blocks = nn.ModuleList()
        widths, before = [], stem
        for i, (channels, stride) in enumerate(_BLOCKS):
            expanded = before * (_EXPANSION if i else 1)
            widths.append(round_channels(channels * width))
            self.blocks.append(InvertedResidual(before, expanded, widths[-1], stride))
            before = widths[-1]
        self.channels: list[int] = [widths[i] for i in _STAGE_ENDS[1:]]

        self.pose: PoseMaps | None = None
        if pose_maps:
            self.wide = nn.Conv2d(before, _WIDE_CHANNELS, 1)
            self.pose = PoseMaps(tuple(widths[i] for i in _POSE_TAPS), pose_heads(arch))
            self.channels = [c + self.pose.num_channels for c in self.channels]
        self.norms: nn.ModuleList | None = None
        if norm_outputs:
            self.norms = nn.ModuleList(
                nn.BatchNorm2d(c, affine=False) for c in self.channels
            )
        self._freeze(frozen_stages)

    def _freeze(self, stages: int) -> None:
        if stages < 0:
            return
        last = _STAGE_ENDS[min(stages, len(_STAGE_ENDS) - 1)]
        frozen = [self.stem, *self.blocks[: last + 1]]
        if stages == self.MAX_FROZEN and self.pose is not None:
            frozen += [self.wide, self.pose]
        for module in frozen:
            module.requires_grad_(False)

    def init_weights(self) -> None:
        """Load the weights that ``init_cfg`` names.

        Raises:
            FileNotFoundError: There is no such file.
        """
        if self.init_cfg is None or self.is_init or 'prefix' in self.init_cfg:
            super().init_weights()
            return
        path = self.init_cfg['checkpoint']
        try:
            load_checkpoint(self, path, 'cpu', logger='current')
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{path}: there are no such weights for the backbone; '
                'tools/model_converters/movenet_to_onestage.py writes them. Set '
                'model.backbone.init_cfg.checkpoint to them, or '
                'model.backbone.init_cfg=None to start without.'
            ) from error
        self._is_init = True

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x (Tensor): Images (N, 3, H, W), RGB from -1 to 1.

        Returns:
            tuple[Tensor]: At strides 4, 8, 16 and 32 one map
            (N, ``channels[i]``, H / stride, W / stride), not rectified.
        """
        x = x.contiguous(memory_format=torch.channels_last)
        x = F.relu6(self.stem(x), inplace=True)
        outs = []
        for block in self.blocks:
            x = block(x)
            outs.append(x)
        maps = [outs[i] for i in _STAGE_ENDS[1:]]
        if self.pose is not None:
            wide = F.relu6(self.wide(x), inplace=True)
            pose = self.pose([*(outs[i] for i in _POSE_TAPS), wide])
            for i, stride in enumerate(self.strides):
                each = F.avg_pool2d(pose, stride // 4) if i else pose
                maps[i] = torch.cat((maps[i], each), 1)
        if self.norms is not None:
            maps = [norm(each) for norm, each in zip(self.norms, maps)]
        return tuple(maps)


def round_channels(channels: float) -> int:
    """Round to the nearest multiple of 8, at most a tenth less, as MobileNetV2."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def pose_heads(arch: str) -> dict[str, int]:
    """Return the output channels of those of MoveNet's heads that are run, by name.

    The others give offsets for the original's decoding.

    Args:
        arch (str): See :class:`MoveNet`.
    """
    heads = {'center': 1, 'kpt_heatmap': 17}
    if arch == 'multipose':
        heads['box_scale'] = 2
    return heads
