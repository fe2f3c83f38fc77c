# Copyright (c) onestage_pose contributors.
"""Where downloaded models are kept, and the mirror that they may come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..utils.errors import UsageError

#: Environment variable: the folder that downloaded models are kept in.
HOME = 'ONESTAGE_POSE_HOME'
#: Environment variable: an address or a folder that has the published files.
MIRROR = 'ONESTAGE_POSE_MIRROR'

_LOCK = '.lock'


def get_home() -> Path:
    """Return the folder of the downloaded models.

    Returns:
        Path: ``ONESTAGE_POSE_HOME``, else ``onestage_pose`` beside torch's hub cache:
        ``$TORCH_HOME/onestage_pose``, by default ``~/.cache/torch/onestage_pose``. It
        need not exist.
    """
    if os.environ.get(HOME):
        return Path(os.environ[HOME]).expanduser().absolute()
    # As torch.hub finds its own, which this module has no need to import.
    cache = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    torch_home = os.environ.get('TORCH_HOME') or os.path.join(cache, 'torch')
    return Path(torch_home).expanduser().absolute() / 'onestage_pose'


def get_mirror() -> str | Path | None:
    """Return where the published files come from instead of their own addresses.

    Returns:
        str | Path | None: ``ONESTAGE_POSE_MIRROR``: an address (http or https), or a
        folder; None where it is not set. Either holds the files under the names that
        they were published with.

    Raises:
        UsageError: It is an address of another kind, or no folder.
    """
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return None
    if mirror.startswith(('http://', 'https://')):
        return mirror.rstrip('/')
    folder = Path(mirror).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f'{MIRROR}={mirror} is neither a folder nor an http(s) address; '
            'correct it, or unset it to download from the internet.'
        )
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time work in a folder; others wait.

    Args:
        folder (Path): Created where it is missing.

    Raises:
        UsageError: It cannot be written to.
    """
    from filelock import FileLock, Timeout
    from mmengine.logging import print_log

    lock = FileLock(folder / _LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print_log(f'Waiting for another process that works in {folder}', 'current')
            lock.acquire()
    except OSError as error:
        raise UsageError(
            f'{folder}: the downloaded model cannot be kept here ({error.strerror}); '
            f'set {HOME} to a folder that can be written to.'
        ) from error
    try:
        yield
    finally:
        lock.release()
