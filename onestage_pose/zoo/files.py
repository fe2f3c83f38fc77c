# Copyright (c) onestage_pose contributors.
"""Where the files of the published models are, and whether they are the right ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from ..utils.errors import UsageError, WrongWeightsError
from ..utils.paths import PACKAGE, get_config_path
from ..utils.suggestions import find_similar
from .table import MODELS

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


def list_models() -> list[str]:
    """Return the names of the models that come with the package."""
    return sorted(MODELS)


def get_model_files(name: str = 'nano') -> ModelFiles:
    """Find the files of a model that comes with the package, and check them.

    Args:
        name (str): One of :func:`list_models`; case does not matter.

    Returns:
        ModelFiles: Its config and weights.

    Raises:
        UsageError: There is no such model; names the ones there are.
        WrongWeightsError: The file of the weights is not the one that the package was
            made with.
        FileNotFoundError: The weights are not there.
    """
    if name.lower() not in MODELS:
        similar = find_similar(name.lower(), MODELS, number=1, likeness=0.0)
        names = similar + sorted(set(MODELS) - set(similar))
        raise UsageError(
            f'no model {name!r} comes with onestage_pose; there is '
            f'{", ".join(map(repr, names))}.'
        )
    model = MODELS[name.lower()]
    weights = WEIGHTS / model.weights
    if not weights.is_file():
        raise FileNotFoundError(
            f'{weights}: the weights of {name!r} are not there; install onestage_pose '
            'again, or restore the file with git.'
        )
    if hashlib.sha256(weights.read_bytes()).hexdigest() != model.sha256:
        raise WrongWeightsError(
            f'{weights}: these are not the weights that onestage_pose was made with '
            f'(SHA-256 {model.sha256}); install it again, or restore the file with git.'
        )
    return ModelFiles(get_config_path(model.config), weights, model.sha256)
