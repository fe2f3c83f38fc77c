# Copyright (c) onestage_pose contributors.
"""The graph that the page runs, exported once and kept in the cache."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ...apis.building import build_model
from ...apis.checkpoint_paths import check_checkpoint_path
from ...apis.thresholds import get_kpt_thr
from ...checkpoints.atomic import replacing, write_text
from ...utils.config_files import read_config
from ...utils.errors import UsageError
from ...utils.paths import PACKAGE
from ...zoo import get_home
from ...zoo.digest import compute_hash
from ...zoo.home import locked
from ..onnx_export import export_onnx


class PageModel(NamedTuple):
    """A graph, and what the file does not say of it.

    Attributes:
        onnx_file (Path): As :func:`export_onnx` writes it.
        kpt_thr (float): Keypoints whose score is under this are not drawn.
    """

    onnx_file: Path
    kpt_thr: float


def get_page_model(
    config: str, checkpoint: str, options: dict[str, Any], weights: str = 'float32'
) -> PageModel:
    """Find the graph of a model in the cache, or export it.

    Args:
        config (str): Path of its config.
        checkpoint (str): Path of its checkpoint.
        options (dict[str, Any]): Merged into the config: ``a.b.c`` to value.
        weights (str): As :func:`export_onnx` takes it.

    Returns:
        PageModel: The graph of this model, these options and this code.

    Raises:
        UsageError: The model cannot become a graph, the checkpoint is an address, or
            the cache cannot be written to.
        CheckpointError: The checkpoint is broken, or of another model.
    """
    check_checkpoint_path(checkpoint, 'checkpoint')
    if not Path(checkpoint).is_file():
        raise UsageError(f'{checkpoint}: give a file; download this one first.')
    folder = get_home() / 'web'
    key = _key(config, checkpoint, options, weights)
    onnx_file, record = folder / f'{key}.onnx', folder / f'{key}.json'
    with locked(folder):
        # The record is written last and makes the graph valid.
        if record.is_file() and onnx_file.is_file():
            return PageModel(onnx_file, json.loads(record.read_text())['kpt_thr'])
        model = build_model(config, checkpoint, options)
        kpt_thr = get_kpt_thr(model)
        with replacing(onnx_file) as part:
            try:
                export_onnx(model, part, weights)
            except ValueError as error:
                raise UsageError(str(error)) from error
        write_text(json.dumps(dict(kpt_thr=kpt_thr)) + '\n', record)
    return PageModel(onnx_file, kpt_thr)


def _key(config: str, checkpoint: str, options: dict[str, Any], weights: str) -> str:
    """Digits that change with everything that the graph depends on."""
    code = hashlib.sha256()
    for path in sorted(PACKAGE.rglob('*.py')):
        code.update(path.read_bytes())
    settings = read_config(config).to_dict(), sorted(options.items())
    parts = torch.__version__, compute_hash(Path(checkpoint)), repr(settings), weights
    code.update('\n'.join(parts).encode())
    return code.hexdigest()[:16]
