# Copyright (c) onestage_pose contributors.
"""Programs that start in moments, each as a process of its own."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

from ..utils.fork_server import get_fork_server

#: What a training imports, which takes most of the time of a small one.
PRELOADED = (
    'onestage_pose',
    'onestage_pose.cli.train',
    'onestage_pose.datasets',
    'onestage_pose.engine',
    'onestage_pose.evaluation',
    'onestage_pose.models',
    'onestage_pose.visualization',
    'mmdet.models',
    'mmpose.datasets',
    'mmpose.models',
    'mmpose.visualization',
)


def start_program(path: Path, words: list[str], log: Path) -> BaseProcess:
    """Start ``python PATH WORDS...`` from a server that has imported the package.

    The first call starts the server (``multiprocessing``'s fork server; where there is
    none, each program imports for itself). The process leads a session and a group of
    processes of its own, as soon as it has started.

    Args:
        path (Path): The program.
        words (list[str]): Its command line.
        log (Path): What it prints is appended there.

    Returns:
        BaseProcess: Running; ``exitcode`` is None until it ends.
    """
    process = get_fork_server(PRELOADED).Process(
        target=_run, args=(str(path), words, str(log))
    )
    process.start()
    return process


def _run(path: str, words: list[str], log: str) -> None:
    os.setsid()
    # the server is deaf to it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(log, 'a') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    # with buffers as those of a new program
    sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    sys.stderr = open(2, 'w', buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = [path, *words]
    runpy.run_path(path, run_name='__main__')
