# Copyright (c) onestage_pose contributors.
"""Where the configs and tools of this package are, in a checkout or installed."""

from __future__ import annotations

import difflib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def get_data_root() -> Path:
    """The folder that holds ``configs`` and ``tools``.

    Returns:
        Path: absolute; ``onestage_pose/.mim`` of an installed package, the root of the
        repository in a checkout.

    Raises:
        FileNotFoundError: neither has configs; names both places and the remedy.
    """
    installed, checkout = PACKAGE / '.mim', PACKAGE.parent
    for root in (installed, checkout):
        if (root / 'configs' / '_base_' / 'default_runtime.py').is_file():
            return root
    raise FileNotFoundError(
        f'no configs in {installed} nor in {checkout}: install onestage_pose with pip, '
        'or import it from a complete checkout'
    )


def get_config_root() -> Path:
    """The folder of the configs, as :func:`get_data_root` finds it; absolute."""
    return get_data_root() / 'configs'


def get_config_path(name: str) -> Path:
    """Finds a config of this package by its name.

    Args:
        name (str): path below ``configs/``, such as
            ``'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'``; the folder
            and the ``.py`` may be left out where that is unambiguous.

    Returns:
        Path: absolute.

    Raises:
        FileNotFoundError: there is none; names the ones that are spelt alike.
        ValueError: the name without folder is that of several.
    """
    root = get_config_root()
    file_name = name if name.endswith('.py') else f'{name}.py'
    if (root / file_name).is_file():
        return root / file_name
    configs = sorted(path.relative_to(root) for path in root.rglob('*.py'))
    found = [path for path in configs if path.name == file_name]
    if len(found) == 1:
        return root / found[0]
    if found:
        choices = ', '.join(path.as_posix() for path in found)
        raise ValueError(f'{name!r} is the name of several configs: {choices}')
    names = {p.name: p.as_posix() for p in configs if p.parts[0] != '_base_'}
    alike = difflib.get_close_matches(Path(file_name).name, names, n=3, cutoff=0.5)
    hint = ', '.join(names[match] for match in alike) or 'none is spelt alike'
    raise FileNotFoundError(f'no config {name!r} in {root}; near: {hint}')
