# Copyright (c) onestage_pose contributors.
"""Processes that find imported what takes long to import."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from multiprocessing.context import BaseContext


def get_fork_server(preloaded: Iterable[str]) -> BaseContext:
    """Return the context of ``multiprocessing`` that starts processes from a server.

    The first process starts the server, which imports for all that follow.

    Args:
        preloaded (Iterable[str]): Modules that the server imports.

    Returns:
        BaseContext: Of the fork server; where there is none, each process imports for
        itself.
    """
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context(
        'forkserver' if 'forkserver' in methods else 'spawn'
    )
    if hasattr(context, 'set_forkserver_preload'):
        context.set_forkserver_preload(list(preloaded))
    return context
