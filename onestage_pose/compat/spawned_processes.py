# Copyright (c) onestage_pose contributors.
"""The patches in worker processes that do not share the memory of their parent.

A process that is spawned (or comes from a fork server, the default on Linux as of
Python 3.14) imports what its arguments ask for: of a data set of mmpose's that is
mmpose, and never this package, without which mmpose's import may fail. A process
hands its ``_config`` (CPython 3.10 to 3.14, ``multiprocessing/process.py``) to its
children before their arguments, so a function of ours in it is imported first.
"""

from __future__ import annotations

import multiprocessing.process

_KEY = 'onestage_pose'


def install() -> None:
    """Let processes that are started from now on import this package first."""
    config = getattr(multiprocessing.process.current_process(), '_config', None)
    if isinstance(config, dict):
        config[_KEY] = install
