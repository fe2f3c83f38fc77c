# Copyright (c) onestage_pose contributors.
"""torchvision's checkpoint files: published weights, and those of its own training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ....utils.errors import ConversionError
from ...atomic import replacing

#: An array that torchvision's detectors have, and no other program's.
_MARK = 'backbone.body.conv1.weight'


def is_torchvision(loaded: Any) -> bool:
    """Return whether something is a checkpoint of a detector of torchvision."""
    return isinstance(loaded, Mapping) and _MARK in _find_arrays(loaded)


def parse_torchvision(loaded: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Find the arrays in what a checkpoint of torchvision holds.

    Args:
        loaded (Any): A state dict, or what torchvision's reference training saves,
            a dict with one in ``model``.
        path (Path): Where from, for the message.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The arrays by name, and what the file
        holds beside them, such as ``optimizer``.

    Raises:
        ConversionError: If it is not that, or a value is not a tensor.
    """
    if not is_torchvision(loaded):
        raise ConversionError(
            f'{path} is not a checkpoint of a detector of torchvision: it has no '
            f'{_MARK}.'
        )
    arrays = _find_arrays(loaded)
    strange = [name for name, value in arrays.items() if not isinstance(value, Tensor)]
    if strange:
        raise ConversionError(f'{path}: {strange[0]} is not a tensor.')
    beside = [] if arrays is loaded else [str(key) for key in loaded if key != 'model']
    return dict(arrays), beside


def write_torchvision(arrays: Mapping[str, Tensor], path: Path) -> None:
    """Write a file for ``load_state_dict`` of torchvision's model.

    Args:
        arrays (Mapping[str, Tensor]): By torchvision's names.
        path (Path): File to write.
    """
    with replacing(path) as part, open(part, 'wb') as file:
        torch.save(dict(arrays), file)


def _find_arrays(loaded: Mapping) -> Mapping:
    return loaded['model'] if isinstance(loaded.get('model'), Mapping) else loaded
