# Copyright (c) onestage_pose contributors.
"""What the arrays of a Keypoint R-CNN are called in torchvision and here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_AFFINE = ('weight', 'bias')
_NORM = (*_AFFINE, 'running_mean', 'running_var')
_HEAD = 'roi_heads.keypoint_head'

# Up to version 0.12 these convolutions were no blocks, and the published files are as
# old; torchvision renames them when it loads one.
_OLD_NAMES = (
    (re.compile(r'(rpn\.head\.conv)\.(weight|bias)'), r'\1.0.0.\2'),
    (
        re.compile(r'(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)'),
        r'\1.0.\2',
    ),
)

Pair = tuple[str, str]  # torchvision's name, ours


def modernise(name: str) -> str:
    """Return the name that torchvision has today for an array of an older file."""
    for pattern, new in _OLD_NAMES:
        if pattern.fullmatch(name):
            return pattern.sub(new, name)
    return name


def pair_names(names: Iterable[str]) -> Iterator[Pair]:
    """Pair the names of all arrays: torchvision's of today and this project's.

    Args:
        names (Iterable[str]): torchvision's or this project's, of a ResNet with
            bottleneck blocks; they tell how many blocks and convolutions there are.

    Yields:
        tuple[str, str]: ``('backbone.fpn.inner_blocks.0.0.weight',
        'neck.lateral_convs.0.conv.weight')`` and so on, each name once.
    """
    for theirs, ours, leaves in _modules(list(names)):
        for leaf in leaves:
            yield f'{theirs}.{leaf}', f'{ours}.{leaf}'


def _modules(names: list[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    # A ResNet has the same names in both.
    body = re.compile(r'(?:backbone\.body|backbone)\.((?:layer|conv|bn).*)\.weight')
    for name in names:
        match = body.fullmatch(name)
        if match:
            is_norm = re.search(r'(bn\d|downsample\.1)$', match.group(1))
            leaves = _NORM if is_norm else ('weight',)
            yield (
                f'backbone.body.{match.group(1)}',
                f'backbone.{match.group(1)}',
                leaves,
            )
    for i in range(4):
        inner, layer = f'inner_blocks.{i}.0', f'layer_blocks.{i}.0'
        yield f'backbone.fpn.{inner}', f'neck.lateral_convs.{i}.conv', _AFFINE
        yield f'backbone.fpn.{layer}', f'neck.fpn_convs.{i}.conv', _AFFINE
    yield 'rpn.head.conv.0.0', 'rpn_head.rpn_conv', _AFFINE
    yield 'rpn.head.cls_logits', 'rpn_head.rpn_cls', _AFFINE
    yield 'rpn.head.bbox_pred', 'rpn_head.rpn_reg', _AFFINE
    box = 'roi_head.bbox_head'
    yield 'roi_heads.box_head.fc6', f'{box}.shared_fcs.0', _AFFINE
    yield 'roi_heads.box_head.fc7', f'{box}.shared_fcs.1', _AFFINE
    yield 'roi_heads.box_predictor.cls_score', f'{box}.fc_cls', _AFFINE
    yield 'roi_heads.box_predictor.bbox_pred', f'{box}.fc_reg', _AFFINE
    ours = 'roi_head.keypoint_head'
    for i in range(_count_convs(names)):
        # In a Sequential of convolution and ReLU in turn.
        yield f'{_HEAD}.{2 * i}', f'{ours}.trunk.{i}.conv', _AFFINE
    predictor = 'roi_heads.keypoint_predictor.kps_score_lowres'
    yield predictor, f'{ours}.deconv', _AFFINE


def _count_convs(names: list[str]) -> int:
    layer = re.compile(
        rf'(?:{re.escape(_HEAD)}|roi_head\.keypoint_head\.trunk)\.\d+(?:\.conv)?\.weight'
    )
    return sum(layer.fullmatch(name) is not None for name in names)
