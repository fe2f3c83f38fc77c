# Copyright (c) onestage_pose contributors.
"""Check the name of a checkpoint before anything is built."""

from __future__ import annotations

import os.path as osp

from ..utils.errors import UsageError
from ..utils.suggestions import suggest_path
from ..zoo import get_model_info


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
