# Copyright (c) onestage_pose contributors.
"""Rename the weights of torchvision's Keypoint R-CNN, and put its classes in order."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ....utils.errors import ConversionError
from ...comparison import list_names
from ..renamed import Renamed
from .names import modernise, pair_names

# torchvision has the background first, mmdet last and without box deltas.
_CLASS = 'roi_head.bbox_head.fc_cls.'
_BOX = 'roi_head.bbox_head.fc_reg.'
_COUNTER = 'num_batches_tracked'


def from_torchvision(
    arrays: Mapping[str, Tensor], source: str = 'the checkpoint'
) -> Renamed:
    """Give torchvision's arrays this project's names and order of classes.

    Args:
        arrays (Mapping[str, Tensor]): The state dict of a
            ``keypointrcnn_resnet50_fpn``, of any version of torchvision.
        source (str): What to call it in errors.

    Returns:
        Renamed: ``left_out`` holds the box deltas of the background, which nothing
        reads, and the counters of batch norms.

    Raises:
        ConversionError: If an array is missing or is not known, or if there are other
            classes than background and person.
    """
    arrays = {modernise(name): array for name, array in arrays.items()}
    renamed = _rename(arrays, dict(pair_names(arrays)), source)
    for name, array in list(renamed.weights.items()):
        if not name.startswith((_CLASS, _BOX)):
            continue
        if len(array) != (2 if name.startswith(_CLASS) else 8):
            raise ConversionError(
                f'{source}: {name} has {len(array)} rows: it tells other classes apart '
                'than background and person.'
            )
        if name.startswith(_CLASS):
            renamed.weights[name] = array.flip(0)
        else:
            renamed.weights[name] = array[4:].clone()
            theirs = f'roi_heads.box_predictor.bbox_pred.{name.removeprefix(_BOX)}'
            renamed.left_out[f'{theirs} of the background'] = array[:4].clone()
    return renamed


def to_torchvision(
    weights: Mapping[str, Tensor], source: str = 'the checkpoint'
) -> Renamed:
    """Give this project's weights torchvision's names and order of classes.

    Args:
        weights (Mapping[str, Tensor]): A model's state dict.
        source (str): What to call it in errors.

    Returns:
        Renamed: For ``load_state_dict`` of a ``keypointrcnn_resnet50_fpn``. The box
        deltas of the background, which nothing reads, are 0.

    Raises:
        ConversionError: If an array is missing or is not known.
    """
    table = {ours: theirs for theirs, ours in pair_names(weights)}
    renamed = _rename(weights, table, source)
    for name, array in list(renamed.weights.items()):
        if name.startswith('roi_heads.box_predictor.cls_score.'):
            renamed.weights[name] = array.flip(0)
        elif name.startswith('roi_heads.box_predictor.bbox_pred.'):
            renamed.weights[name] = torch.cat((torch.zeros_like(array), array))
    return renamed


def _rename(
    arrays: Mapping[str, Tensor], table: Mapping[str, str], source: str
) -> Renamed:
    left_out = {name: array for name, array in arrays.items() if name not in table}
    unexpected = [name for name in left_out if not name.endswith(f'.{_COUNTER}')]
    missing = [name for name in table if name not in arrays]
    if unexpected or missing:
        raise ConversionError(
            f"{source} is not of torchvision's Keypoint R-CNN (a ResNet with FPN): "
            f'{list_names(unexpected)} unexpected, {list_names(missing)} missing.'
        )
    return Renamed({new: arrays[old] for old, new in table.items()}, left_out)
