# Copyright (c) onestage_pose contributors.
"""Rename the weights of a Keypoint R-CNN, accounting for every array."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from ....utils.errors import ConversionError
from ...comparison import list_names
from ..renamed import Renamed
from .names import DetectronNames

# What Detectron2 keeps beside the weights, and this project builds from the config.
_CONSTANT = re.compile(
    r'pixel_mean|pixel_std|proposal_generator\.anchor_generator\.cell_anchors\.\d+'
)
# Where a config has trainable batch norm in the backbone; Detectron2 does not count.
_COUNTER = re.compile(r'backbone\..*\.num_batches_tracked')


def from_detectron2(
    arrays: Mapping[str, Tensor], source: str = 'the checkpoint'
) -> Renamed:
    """Give Detectron2's arrays this project's names.

    Args:
        arrays (Mapping[str, Tensor]): By Detectron2's names: all of a ResNet or
            ResNeXt Keypoint R-CNN with FPN, the baseline or the one of arXiv
            2301.04842.
        source (str): What to call it in errors.

    Returns:
        Renamed: ``left_out`` holds pixel mean and deviation and the anchors.

    Raises:
        ConversionError: If an array is missing or is not known.
    """
    names = DetectronNames.of_detectron2(arrays)
    return _rename(arrays, dict(names.pairs()), _CONSTANT, source)


def to_detectron2(
    weights: Mapping[str, Tensor], source: str = 'the checkpoint'
) -> Renamed:
    """Give this project's weights Detectron2's names.

    Args:
        weights: A model's state dict.
        source (str): What to call it in errors.

    Returns:
        Renamed: ``left_out`` holds the batch counters of the backbone's norms,
        where there are any.

    Raises:
        ConversionError: If an array is missing or is not known.
    """
    names = DetectronNames.of_mmpose(weights)
    table = {ours: theirs for theirs, ours in names.pairs()}
    return _rename(weights, table, _COUNTER, source)


def _rename(
    arrays: Mapping[str, Tensor],
    table: Mapping[str, str],
    known: re.Pattern,
    source: str,
) -> Renamed:
    left_out = {name: array for name, array in arrays.items() if name not in table}
    unexpected = [name for name in left_out if known.fullmatch(name) is None]
    missing = [name for name in table if name not in arrays]
    if unexpected or missing:
        raise ConversionError(
            f'{source} is not of a Keypoint R-CNN that this project knows (ResNet or '
            'ResNeXt with FPN, one box stage): '
            f'{list_names(unexpected)} unexpected, {list_names(missing)} missing.'
        )
    weights = {new: arrays[old] for old, new in table.items()}
    return Renamed(weights, left_out)
