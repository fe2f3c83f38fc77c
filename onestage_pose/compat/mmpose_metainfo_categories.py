# Copyright (c) onestage_pose contributors.
"""mmpose's descriptions of data sets, of several categories too.

Upstream: mmpose 1.3.2, ``mmpose/datasets/datasets/utils.py``, ``parse_pose_metainfo``.
It knows one skeleton, and what it does not know it leaves out. Data sets, combined data
sets, checkpoints and inferencers all call it. Can go once mmpose has categories.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType

from .hooks import replace_function, when_imported


def install(parse: Callable[[dict, Callable], dict]) -> None:
    """Take ``categories``, once the function is imported.

    Args:
        parse: Takes metainfo and mmpose's function; returns what the function does.
    """
    when_imported(
        'mmpose.datasets.datasets.utils', lambda utils: parse_categories(utils, parse)
    )


def parse_categories(
    utils: ModuleType, parse: Callable[[dict, Callable], dict]
) -> None:
    """Let ``parse_pose_metainfo`` parse categories.

    Args:
        utils: ``mmpose.datasets.datasets.utils``.
        parse: See :func:`install`.
    """
    original = utils.parse_pose_metainfo
    if getattr(original, 'parses_categories', False):
        return

    @functools.wraps(original)
    def parse_pose_metainfo(metainfo: dict) -> dict:
        return parse(metainfo, original)

    parse_pose_metainfo.parses_categories = True
    replace_function(utils, 'parse_pose_metainfo', parse_pose_metainfo)
