# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmengine.utils import to_2tuple
from torch import Tensor, nn

# of the keypoint branch, its batch norm included: as in the released program
INIT_CFG = [
    dict(type='Kaiming', layer=['Conv2d', 'ConvTranspose2d'], mode='fan_out'),
    dict(type='Uniform', layer=['_BatchNorm', 'SyncBatchNorm'], a=0.0, b=1.0),
]


class RelativePositionAttention(nn.Module):
    """Multi-head self-attention over a map, with learned relative positions.

    The logit between a query at row ``i``, column ``j`` and a key at row ``u``,
    column ``v`` is ``q . k + q . (rel_height[u - i + H - 1] + rel_width[v - j +
    W - 1])`` with ``q`` scaled by ``head_channels ** -0.5``. The two embedding
    tables are shared by the heads. Source: the released program of arXiv
    2301.04842, after Bottleneck Transformers (arXiv 2101.11605).

    Args:
        in_channels (int): Channels of the input map.
        feat_size (int | tuple[int, int]): Height H and width W of the map.
        num_heads (int): Attention heads.
        head_channels (int): Channels of each head's query, key and value.
    """

    def __init__(
        self,
        in_channels: int,
        feat_size: int | tuple[int, int] = 14,
        num_heads: int = 4,
        head_channels: int = 128,
    ) -> None:
        super().__init__()
        self.feat_size = tuple(to_2tuple(feat_size))
        self.num_heads = num_heads
        self.head_channels = head_channels
        inner = num_heads * head_channels
        self.to_qk = nn.Conv2d(in_channels, 2 * inner, 1, bias=False)
        self.to_v = nn.Conv2d(in_channels, inner, 1, bias=False)
        height, width = self.feat_size
        std = head_channels**-0.5
        self.rel_height = nn.Parameter(torch.randn(2 * height - 1, head_channels) * std)
        self.rel_width = nn.Parameter(torch.randn(2 * width - 1, head_channels) * std)

    def relative_position(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """Position term of the attention logits, as factors of a product.

        ``by_position @ where.mT`` is the term: ``by_position`` has the logits of a
        query with each row and each column, ``where`` the row and column of each key.
        With queries and keys extended by these factors, one product gives all logits.

        Args:
            query (Tensor): Scaled queries (N, heads, H * W, head_channels).

        Returns:
            tuple[Tensor, Tensor]: ``by_position`` (N, heads, H * W, H + W) and
            ``where`` (H * W, H + W), of zeros and ones.
        """
        height, width = self.feat_size
        rows = self._by_offset(self.rel_height, height)
        cols = self._by_offset(self.rel_width, width)
        grid = query.unflatten(2, (height, width))
        by_row = torch.einsum('nhijd,iud->nhiju', grid, rows)
        by_col = torch.einsum('nhijd,jvd->nhijv', grid, cols)
        by_position = torch.cat((by_row, by_col), -1).flatten(2, 3)
        in_row = torch.eye(height, dtype=query.dtype, device=query.device)
        in_col = torch.eye(width, dtype=query.dtype, device=query.device)
        where = torch.cat(
            (in_row.repeat_interleave(width, 0), in_col.repeat(height, 1)), -1
        )
        return by_position, where

    @staticmethod
    def _by_offset(table: Tensor, size: int) -> Tensor:
        """Spread a (2 * size - 1, d) table to (query, key, d)."""
        position = torch.arange(size, device=table.device)
        return table[position[None, :] - position[:, None] + size - 1]

    def forward(self, x: Tensor) -> Tensor:
        """Attend over all positions of each map.

        Args:
            x (Tensor): (N, in_channels, H, W) float, N may be 0.

        Returns:
            Tensor: (N, num_heads * head_channels, H, W).

        Raises:
            ValueError: If H, W differ from ``feat_size``.
        """
        if tuple(x.shape[-2:]) != self.feat_size:
            raise ValueError(
                f'RelativePositionAttention was built for maps of '
                f'{self.feat_size} but got {tuple(x.shape[-2:])}: set its '
                f"feat_size to the RoI extractor's output_size."
            )

        def split_heads(t: Tensor) -> Tensor:
            return t.flatten(2).unflatten(1, (self.num_heads, -1)).transpose(-2, -1)

        query, key = map(split_heads, self.to_qk(x).chunk(2, dim=1))
        value = split_heads(self.to_v(x))
        query = query * self.head_channels**-0.5
        by_position, where = self.relative_position(query)
        query = torch.cat((query, by_position), -1)
        key = torch.cat((key, where.expand(x.shape[0], self.num_heads, -1, -1)), -1)
        out = (query @ key.transpose(-2, -1)).softmax(-1) @ value
        return out.transpose(-2, -1).flatten(1, 2).unflatten(2, self.feat_size)


class GlobalContextModule(BaseModule):
    """Global Context Module (GCM) of arXiv 2301.04842.

    ``y = x + attention(relu(norm(x)))``, ``out = y + conv3x3(relu(norm(y)))``:
    every position of a person's map attends to every other before the next
    convolutions.

    Args:
        channels (int): Channels of the map; must be ``num_heads *
            head_channels``, as attention has no output projection.
        feat_size (int | tuple[int, int]): Height and width of the map.
        num_heads (int): Attention heads.
        norm_cfg (dict): Normalisation over the batch of RoIs. The release uses
            trainable batch norm on each GPU's own RoIs.
        init_cfg (dict, optional): Initialisation. By default convolutions are
            Kaiming-normal (fan_out), biases 0, norm weights uniform in [0, 1].

    Raises:
        ValueError: ``channels`` is not a multiple of ``num_heads``.
    """

    def __init__(
        self,
        channels: int = 512,
        feat_size: int | tuple[int, int] = 14,
        num_heads: int = 4,
        norm_cfg: dict = dict(type='BN'),  # noqa: B006
        init_cfg: dict | list | None = None,
    ) -> None:
        if channels % num_heads:
            raise ValueError(
                f'GlobalContextModule: channels={channels} must be a multiple '
                f'of num_heads={num_heads}.'
            )
        if init_cfg is None:
            init_cfg = INIT_CFG
        super().__init__(init_cfg=init_cfg)
        self.norm1 = build_norm_layer(norm_cfg, channels)[1]
        self.attention = RelativePositionAttention(
            channels, feat_size, num_heads, channels // num_heads
        )
        self.norm2 = build_norm_layer(norm_cfg, channels)[1]
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        x = x + self.attention(F.relu(self.norm1(x)))
        return x + self.conv(F.relu(self.norm2(x)))
