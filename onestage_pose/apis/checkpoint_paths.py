# Copyright (c) onestage_pose contributors.
"""Check the names of a model and a checkpoint before anything is built."""

from __future__ import annotations

import os.path as osp

from ..utils.errors import UsageError
from ..utils.suggestions import did_you_mean, suggest_path
from ..zoo import get_model_info, list_models


def check_model_name(name: str, checkpoint: str | None = None) -> None:
    """Raise where a name is given a checkpoint, or a config none.

    Args:
        name (str): What was typed: the name of a published model, or a config.
        checkpoint (str | None): What was typed after it.

    Raises:
        UsageError: With all names, the nearest first, or the remedies.
    """
    is_name = name.lower() in list_models()
    if checkpoint is None and not is_name:
        raise UsageError(
            f'{name}: give a config with its checkpoint, or the name of a published '
            f'model: {", ".join(list_models())}.{did_you_mean(name, list_models())}'
        )
    if checkpoint is not None and is_name and not osp.exists(name):
        raise UsageError(
            f'{name} is a published model, which has a checkpoint: leave out '
            f'{checkpoint}, or give the config that it belongs to in place of the name.'
        )


def check_checkpoint_path(path: str, option: str) -> None:
    """Raise where a local checkpoint does not exist.

    Args:
        path (str): A path, or an address such as ``https://`` or ``zoo://NAME``.
        option (str): Where it was given, for the message.

    Raises:
        UsageError: With the names in its folder, or the zoo, that are spelt alike.
    """
    if path.startswith('zoo://'):
        get_model_info(path.removeprefix('zoo://'))
    if '://' not in path and not osp.isfile(osp.expanduser(path)):
        raise UsageError(f'{option}: {path} does not exist.{suggest_path(path)}')
