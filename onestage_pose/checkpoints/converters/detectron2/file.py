# Copyright (c) onestage_pose contributors.
"""Detectron2's checkpoint files: the model zoo's ``.pkl``, a training's ``.pth``."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....utils.errors import ConversionError
from ...atomic import replacing
from ...loading import load_from_local
from ...safe_pickle import load_plain_pickle

PICKLE_SUFFIXES = ('.pkl', '.pickle')
SUFFIXES = (*PICKLE_SUFFIXES, '.pth')


def read_detectron2(path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Read a checkpoint without running anything that is in it.

    Args:
        path (Path): A ``.pkl`` or a ``.pth``.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The arrays by Detectron2's names, in
        the file's order and dtypes, and what the file holds beside them, such as
        ``optimizer``.

    Raises:
        ConversionError: If it is not a dict whose ``model`` holds arrays.
        CheckpointError: If it is broken or holds more than plain data.
        FileNotFoundError: If there is none.
    """
    return parse_detectron2(load_plain(path), path)


def load_plain(path: Path) -> Any:
    """Load a ``.pkl`` or a ``.pth`` without running anything that is in it.

    Args:
        path (Path): Its suffix says which it is.

    Returns:
        Any: What was saved.

    Raises:
        CheckpointError: If it is broken or holds more than plain data.
        FileNotFoundError: If there is none.
    """
    if path.suffix.lower() in PICKLE_SUFFIXES:
        return load_plain_pickle(path)
    return load_from_local(str(path), 'cpu')


def parse_detectron2(loaded: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Find the arrays in what a checkpoint of Detectron2 holds.

    Args:
        loaded (Any): As :func:`load_plain` returns it.
        path (Path): Where from, for the message.

    Returns:
        tuple[dict[str, Tensor], list[str]]: As :func:`read_detectron2`.

    Raises:
        ConversionError: As :func:`read_detectron2`.
    """
    if not isinstance(loaded, Mapping) or not isinstance(loaded.get('model'), Mapping):
        found = sorted(map(str, loaded)) if isinstance(loaded, Mapping) else loaded
        is_ours = isinstance(loaded, Mapping) and 'state_dict' in loaded
        raise ConversionError(
            f"{path} is not a checkpoint of Detectron2: it has no dict 'model' of "
            f'arrays but {_shorten(found)}.'
            + (' For a checkpoint of this project give --reverse.' if is_ours else '')
        )
    arrays = {name: _to_tensor(v, name, path) for name, v in loaded['model'].items()}
    return arrays, [str(key) for key in loaded if key != 'model']


def write_detectron2(arrays: Mapping[str, Tensor], path: Path) -> None:
    """Write a checkpoint that Detectron2 loads as its own.

    Args:
        arrays (Mapping[str, Tensor]): By Detectron2's names.
        path (Path): ``.pkl`` for numpy arrays as in the model zoo, otherwise tensors.
    """
    if path.suffix.lower() in PICKLE_SUFFIXES:
        model = {name: array.numpy() for name, array in arrays.items()}
        content = dict(model=model, __author__='onestage_pose')
        with replacing(path) as part, open(part, 'wb') as file:
            pickle.dump(content, file, protocol=4)
    else:
        with replacing(path) as part, open(part, 'wb') as file:
            torch.save(dict(model=dict(arrays)), file)


def _to_tensor(value: Any, name: str, path: Path) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if (
        not isinstance(value, (np.ndarray, np.generic))
        or value.dtype.kind not in 'fiub'
    ):
        raise ConversionError(
            f'{path}: model[{name!r}] is not an array of numbers but {_shorten(value)}.'
        )
    array = np.asarray(value)
    return torch.from_numpy(array.astype(array.dtype.newbyteorder('='), copy=True))


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 100 else f'{text[:100]}...'
