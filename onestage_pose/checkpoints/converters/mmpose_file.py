# Copyright (c) onestage_pose contributors.
"""Checkpoint files of this project, as mmengine and mmpose read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mmengine
import torch
from mmengine.config import Config
from mmpose.apis.inference import dataset_meta_from_config
from torch import Tensor

from ...utils.errors import ConversionError
from ..atomic import replacing
from ..loading import load_from_local


def read_mmpose(path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """Read a checkpoint of this project without running anything that is in it.

    Args:
        path (Path): What a training, ``publish_model.py`` or :func:`write_mmpose`
            wrote.

    Returns:
        tuple[dict[str, Tensor], list[str]]: The weights, and the names of the file's
        other content, such as ``optimizer``.

    Raises:
        ConversionError: If it has no ``state_dict`` of tensors.
        CheckpointError: If it is broken or holds more than plain data.
        FileNotFoundError: If there is none.
    """
    loaded = load_from_local(str(path), 'cpu')
    weights = loaded.get('state_dict') if isinstance(loaded, Mapping) else None
    if not isinstance(weights, Mapping):
        is_theirs = isinstance(loaded, Mapping) and 'model' in loaded
        raise ConversionError(
            f"{path} is not a checkpoint of this project: it has no 'state_dict'."
            + (' For one of Detectron2 leave --reverse out.' if is_theirs else '')
        )
    strange = [name for name, v in weights.items() if not isinstance(v, Tensor)]
    if strange:
        raise ConversionError(f'{path}: state_dict[{strange[0]!r}] is not a tensor.')
    weights = {name.removeprefix('module.'): v for name, v in weights.items()}
    return weights, [str(key) for key in loaded if key != 'state_dict']


def write_mmpose(weights: Mapping[str, Tensor], config: Config, path: Path) -> None:
    """Write a checkpoint for ``init_model``, ``tools/test.py`` and inferencers.

    Its ``meta`` holds ``dataset_meta``, the skeleton of the data set that the config
    trains on, and the config's text, so that an inferencer needs no other file.

    Args:
        weights (Mapping[str, Tensor]): By this project's names.
        config (Config): A whole config.
        path (Path): File to write.
    """
    meta = dict(
        dataset_meta=dataset_meta_from_config(config, dataset_mode='train'),
        cfg=config.pretty_text,
        mmengine_version=mmengine.__version__,
    )
    with replacing(path) as part, open(part, 'wb') as file:
        torch.save(dict(meta=meta, state_dict=dict(weights)), file)
