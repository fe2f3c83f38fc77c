# Copyright (c) onestage_pose contributors.
"""The trained models that come with the package, by name."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmpose.apis import Pose2DInferencer, init_model
from torch import nn

from ..utils.paths import PACKAGE, get_config_path

WEIGHTS = PACKAGE / 'weights'


class ModelFiles(NamedTuple):
    """Where a model that comes with the package lies.

    Attributes:
        config (Path): Its config, absolute.
        weights (Path): Its checkpoint: weights in half precision, ``dataset_meta``.
        sha256 (str): The SHA-256 of the checkpoint, in hexadecimal digits.
    """

    config: Path
    weights: Path
    sha256: str


# config, file of the weights, their SHA-256
_MODELS = {
    'nano': (
        'nano/gcm-keypoint-rcnn_efficientnet-lite0_fpn_coco-pool.py',
        'gcm-keypoint-rcnn_efficientnet-lite0_fpn_coco-pool-1703fd32.pth',
        '1703fd32c831f6cb4d7988d24fed4cdc845a211557a2ae09b55d6b087509a2cb',
    )
}


def list_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(_MODELS)


def get_model_files(name: str = 'nano') -> ModelFiles:
    """Find the files of a model that comes with the package, and check them.

    Args:
        name (str): One of :func:`list_models`; case does not matter.

    Returns:
        ModelFiles: Its config and weights.

    Raises:
        ValueError: There is no such model; names the ones there are. Or the file of
            the weights is not the one that the package was made with.
        FileNotFoundError: The weights are not there.
    """
    if name.lower() not in _MODELS:
        alike = difflib.get_close_matches(name.lower(), _MODELS, n=1, cutoff=0.0)
        raise ValueError(
            f'no model {name!r} comes with onestage_pose; there is '
            f'{", ".join(map(repr, alike + sorted(set(_MODELS) - set(alike))))}.'
        )
    config, file_name, sha256 = _MODELS[name.lower()]
    weights = WEIGHTS / file_name
    if not weights.is_file():
        raise FileNotFoundError(
            f'{weights}: the weights of {name!r} are not there; install onestage_pose '
            'again, or restore the file with git.'
        )
    if hashlib.sha256(weights.read_bytes()).hexdigest() != sha256:
        raise ValueError(
            f'{weights}: these are not the weights that onestage_pose was made with '
            f'(SHA-256 {sha256}); install it again, or restore the file with git.'
        )
    return ModelFiles(get_config_path(config), weights, sha256)


def load_model(
    name: str = 'nano', device: str | torch.device | None = None
) -> nn.Module:
    """Load a trained model that comes with the package.

    Args:
        name (str): One of :func:`list_models`.
        device (str | torch.device, optional): Where to; by default a GPU if there is
            one.

    Returns:
        nn.Module: The model, ready for ``mmpose.apis.inference_bottomup`` and the
        like: in evaluation mode, with its config as ``cfg`` and the skeleton as
        ``dataset_meta``.

    Raises:
        ValueError, FileNotFoundError: As :func:`get_model_files`.
    """
    files = get_model_files(name)
    device = get_device() if device is None else device
    return init_model(str(files.config), str(files.weights), device=str(device))


def install() -> None:
    """Lets mmpose's 2D inferencers take these models by their names.

    ``MMPoseInferencer(pose2d='nano')`` is this package's model; mmpose's own names
    and aliases mean what they did. Harmless when called again.
    """
    original = Pose2DInferencer._load_model_from_metafile
    if getattr(original, 'knows_onestage_pose', False):
        return

    def load(self, model: str) -> tuple[Config, str]:
        if model.lower() not in _MODELS:
            return original(self, model)
        files = get_model_files(model)
        return Config.fromfile(files.config), str(files.weights)

    load.knows_onestage_pose = True
    Pose2DInferencer._load_model_from_metafile = load
