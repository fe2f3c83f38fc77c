# Copyright (c) onestage_pose contributors.
"""mmpose's descriptions of data sets, found without a warning.

Upstream: mmpose 1.3.2, ``mmpose/datasets/datasets/utils.py``, ``parse_pose_metainfo``.
mmpose's own data sets name theirs relative to its checkout
(``'configs/_base_/datasets/coco.py'``), and each use outside of it warns that the file
"does not exist" and that the installed one is used. Can go once mmpose is silent there.
"""

from __future__ import annotations

import functools
from pathlib import Path
from types import ModuleType

from .hooks import replace_function, when_imported


def install() -> None:
    """Take the installed descriptions, once the function is imported."""
    when_imported('mmpose.datasets.datasets.utils', find_installed_files)


def find_installed_files(utils: ModuleType) -> None:
    """Hand ``parse_pose_metainfo`` the path of the installed file.

    Args:
        utils: ``mmpose.datasets.datasets.utils``.
    """
    original = utils.parse_pose_metainfo
    if getattr(original, 'finds_installed_files', False):
        return
    # .../mmpose/datasets/datasets/utils.py
    installed = Path(utils.__file__).parents[2] / '.mim/configs/_base_/datasets'

    @functools.wraps(original)
    def parse_pose_metainfo(metainfo: dict) -> dict:
        file = metainfo.get('from_file')
        if file is not None and not Path(file).is_file():
            found = installed / Path(file).name
            if found.is_file():
                metainfo = dict(metainfo, from_file=str(found))
        return original(metainfo)

    parse_pose_metainfo.finds_installed_files = True
    replace_function(utils, 'parse_pose_metainfo', parse_pose_metainfo)
