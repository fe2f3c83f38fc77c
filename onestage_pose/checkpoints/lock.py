# Copyright (c) onestage_pose contributors.
"""One process at a time that writes into a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from ..utils.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_NAME = '.training.lock'
_ADVICE = (
    'trains into this folder, and two would overwrite each other: wait for it, or give '
    'another --work-dir.'
)
# Open for as long as the process lives: closing one gives its lock back.
_HELD: dict[Path, TextIO] = {}


def lock_folder(
    folder: str | os.PathLike, name: str = _NAME, advice: str = _ADVICE
) -> None:
    """Keep other processes from working in a folder until this one ends.

    A second call of the same process passes. Nothing is locked where the system or the
    file system cannot.

    Args:
        folder (str | os.PathLike): Created where it is missing.
        name (str): Of the file in it that is locked.
        advice (str): What the other process does, and what to do about it.

    Raises:
        UsageError: Another process works in it; says which.
    """
    path = Path(folder).resolve() / name
    if fcntl is None or path in _HELD:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path, 'a+', encoding='utf-8')
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        file.seek(0)
        holder = file.read(20).strip()
        file.close()
        raise UsageError(f'{folder}: process {holder} {advice}') from error
    except OSError:  # a file system without locks
        file.close()
        return
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    _HELD[path] = file
