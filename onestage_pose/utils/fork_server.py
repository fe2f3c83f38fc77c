# Copyright (c) onestage_pose contributors.
"""Processes that find imported what takes long to import."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterable
from multiprocessing import forkserver
from multiprocessing.context import BaseContext


def get_fork_server(preloaded: Iterable[str]) -> BaseContext:
    """Return the context of ``multiprocessing`` that starts processes from a server.

    The first process starts the server, which imports for all that follow. Called from
    the main thread, this starts a server that Ctrl-C does not end: it ends with the
    program.

    Args:
        preloaded (Iterable[str]): Modules that the server imports.

    Returns:
        BaseContext: Of the fork server; where there is none, each process imports for
        itself.
    """
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(list(preloaded))
    if threading.current_thread() is threading.main_thread():
        _start_deaf()
    return context


def _start_deaf() -> None:
    """Start the server while SIGINT is ignored, which it inherits."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)
