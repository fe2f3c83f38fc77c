# Copyright (c) onestage_pose contributors.
"""Configs that have another name now, so that their old names still work."""

from __future__ import annotations

import warnings
from pathlib import Path, PurePath

#: Old to new path, both below the folder that holds ``configs`` and ``tools``
#: (:func:`onestage_pose.utils.get_data_root`).
RENAMED_CONFIGS: dict[str, str] = {
    'configs/_base_/datasets/synthetic_people.py': (
        'projects/synthetic_people/configs/_base_/synthetic_people.py'
    ),
    'configs/_base_/models/gcm-keypoint-rcnn_nano_fpn.py': (
        'configs/_base_/models/gcm-keypoint-rcnn_r18-w32_fpn.py'
    ),
    'configs/synthetic/gcm-keypoint-rcnn_nano_fpn_demo.py': (
        'projects/synthetic_people/configs/gcm-keypoint-rcnn_r18-w32_fpn_demo.py'
    ),
    'configs/synthetic/gcm-keypoint-rcnn_nano_fpn_synthetic.py': (
        'projects/synthetic_people/configs/gcm-keypoint-rcnn_r18-w32_fpn_synthetic.py'
    ),
}


def find_renamed_config(path: str | Path) -> str | None:
    """Find the new path of a config by its old one.

    Args:
        path (str | Path): Old path, relative or absolute, that ends in a key of
            :data:`RENAMED_CONFIGS`; ``configs/`` and ``.py`` may be left out, and the
            folder too where one config alone had that name.

    Returns:
        str | None: Path below the data root; None for a name that was never used.
    """
    words = PurePath(path).as_posix().removesuffix('.py')
    last_parts = {old: old.removesuffix('.py') for old in RENAMED_CONFIGS}
    for old, whole in last_parts.items():
        if words == whole or words.endswith(f'/{whole}'):
            return RENAMED_CONFIGS[old]
    found = {
        RENAMED_CONFIGS[old]
        for old, whole in last_parts.items()
        if whole.endswith(f'/{words}')
    }
    return found.pop() if len(found) == 1 else None


def warn_renamed(old: str | Path, new: str | Path) -> None:
    """Warn that a config was given by its old name.

    Args:
        old (str | Path): What was given.
        new (str | Path): What to give.
    """
    warnings.warn(
        f'the config {old} is now {new}; the old name will be removed, use the new '
        'one.',
        FutureWarning,
        stacklevel=3,
    )
