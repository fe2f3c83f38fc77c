# Copyright (c) onestage_pose contributors.
"""What the arrays of a Keypoint R-CNN are called in Detectron2 and here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_AFFINE = ('weight', 'bias')
_FROZEN_NORM = (*_AFFINE, 'running_mean', 'running_var')
_NORM = (*_FROZEN_NORM, 'num_batches_tracked')
_TABLES = ('rel_height', 'rel_width')

_BODY = 'backbone.bottom_up'
_HEAD = 'roi_heads.keypoint_head'
_STAGES = (2, 3, 4, 5)  # res2 is layer1
_BLOCK_NUMBER = re.compile(r'(?:bottom_up\.res|backbone\.layer)(\d)\.(\d+)\.')
# What the release calls the layers of its keypoint head, in the order in which they
# run: the channels are widened once, and MHSA_5 stands before conv_fcn5.
_HEAD_LAYER = re.compile(
    rf'{re.escape(_HEAD)}\.(conv_channel|(MHSA|conv_fcn)_?(\d+))\.'
)
_TRUNK_LAYER = re.compile(r'roi_head\.keypoint_head\.trunk\.(\d+)\.(attention\.)?')

Pair = tuple[str, str]  # Detectron2's name, ours


class DetectronNames(NamedTuple):
    """The names of one model's arrays, told by what differs between models.

    Attributes:
        blocks (tuple[int, ...]): Residual blocks of res2 to res5.
        head (tuple[str, ...]): Detectron2's names of the keypoint head's layers
            before ``score_lowres``, in the order in which they run.
    """

    blocks: tuple[int, ...]
    head: tuple[str, ...]

    @classmethod
    def of_detectron2(cls, names: Iterable[str]) -> DetectronNames:
        """Recognise a model by Detectron2's names of its arrays."""
        names = list(names)
        found = {
            match.group(1): match.group(2, 3)
            for match in map(_HEAD_LAYER.match, names)
            if match
        }

        def order(layer: str) -> tuple[int, bool]:
            kind, number = found[layer]
            return int(number or 0), kind == 'conv_fcn'

        return cls(_count_blocks(names, 2), tuple(sorted(found, key=order)))

    @classmethod
    def of_mmpose(cls, names: Iterable[str]) -> DetectronNames:
        """Recognise a model by this project's names of its arrays."""
        names = list(names)
        is_context: dict[int, bool] = {}
        for match in filter(None, map(_TRUNK_LAYER.match, names)):
            index = int(match.group(1))
            is_context[index] = is_context.get(index, False) or bool(match.group(2))
        layers, number = [], 1
        for index in sorted(is_context):
            if is_context[index]:
                layers.append(f'MHSA_{number}')
            elif any(is_context.values()) and not layers:
                layers.append('conv_channel')
            else:
                layers.append(f'conv_fcn{number}')
                number += 1
        return cls(_count_blocks(names, 1), tuple(layers))

    @property
    def has_context(self) -> bool:
        """bool: Whether it is the method of arXiv 2301.04842, not the baseline."""
        return any(layer.startswith('MHSA_') for layer in self.head)

    @property
    def depth(self) -> int:
        """int: Depth of the ResNet, 50 or 101, counted by its bottleneck blocks."""
        return 3 * sum(self.blocks) + 2

    def pairs(self) -> Iterator[Pair]:
        """Pair the names of all arrays: Detectron2's and this project's.

        Yields:
            tuple[str, str]: ``('backbone.fpn_lateral2.weight',
            'neck.lateral_convs.0.conv.weight')`` and so on, each name once.
        """
        for theirs, ours, leaves in self._modules():
            for leaf in leaves:
                yield f'{theirs}.{leaf}', f'{ours}.{leaf}'

    def _modules(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        yield from _conv_norm(f'{_BODY}.stem.conv1', 'backbone.conv1', 'backbone.bn1')
        for stage, blocks in zip(_STAGES, self.blocks):
            for block in range(blocks):
                theirs = f'{_BODY}.res{stage}.{block}'
                ours = f'backbone.layer{stage - 1}.{block}'
                if block == 0:
                    down = f'{ours}.downsample'
                    yield from _conv_norm(
                        f'{theirs}.shortcut', f'{down}.0', f'{down}.1'
                    )
                for i in (1, 2, 3):
                    conv, norm = f'{ours}.conv{i}', f'{ours}.bn{i}'
                    yield from _conv_norm(f'{theirs}.conv{i}', conv, norm)
        for i, stage in enumerate(_STAGES):
            lateral, output = f'fpn_lateral{stage}', f'fpn_output{stage}'
            yield f'backbone.{lateral}', f'neck.lateral_convs.{i}.conv', _AFFINE
            yield f'backbone.{output}', f'neck.fpn_convs.{i}.conv', _AFFINE
        rpn = 'proposal_generator.rpn_head'
        yield f'{rpn}.conv', 'rpn_head.rpn_conv', _AFFINE
        yield f'{rpn}.objectness_logits', 'rpn_head.rpn_cls', _AFFINE
        yield f'{rpn}.anchor_deltas', 'rpn_head.rpn_reg', _AFFINE
        for i in (0, 1):
            ours = f'roi_head.bbox_head.shared_fcs.{i}'
            yield f'roi_heads.box_head.fc{i + 1}', ours, _AFFINE
        box = 'roi_heads.box_predictor'
        yield f'{box}.cls_score', 'roi_head.bbox_head.fc_cls', _AFFINE
        yield f'{box}.bbox_pred', 'roi_head.bbox_head.fc_reg', _AFFINE
        for i, layer in enumerate(self.head):
            theirs, ours = f'{_HEAD}.{layer}', f'roi_head.keypoint_head.trunk.{i}'
            if layer.startswith('MHSA_'):
                yield f'{theirs}.norm1', f'{ours}.norm1', _NORM
                yield f'{theirs}.MHSA.to_qk', f'{ours}.attention.to_qk', ('weight',)
                yield f'{theirs}.MHSA.to_v', f'{ours}.attention.to_v', ('weight',)
                yield f'{theirs}.MHSA.pos_emb', f'{ours}.attention', _TABLES
                yield f'{theirs}.norm2', f'{ours}.norm2', _NORM
                yield f'{theirs}.conv_fc', f'{ours}.conv', _AFFINE
            else:
                yield theirs, f'{ours}.conv', _AFFINE
        yield f'{_HEAD}.score_lowres', 'roi_head.keypoint_head.deconv', _AFFINE


def _conv_norm(
    theirs: str, conv: str, norm: str
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Pair a convolution without bias and its norm, which Detectron2 has inside it."""
    yield theirs, conv, ('weight',)
    yield f'{theirs}.norm', norm, _FROZEN_NORM


def _count_blocks(names: Iterable[str], first_stage: int) -> tuple[int, ...]:
    """Count the blocks of each of the four stages; 0 where there is none."""
    found = [
        (int(match.group(1)), int(match.group(2)))
        for match in map(_BLOCK_NUMBER.search, names)
        if match
    ]
    return tuple(
        max((block + 1 for stage, block in found if stage == number), default=0)
        for number in range(first_stage, first_stage + 4)
    )
