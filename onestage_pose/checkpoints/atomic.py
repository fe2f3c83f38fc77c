# Copyright (c) onestage_pose contributors.
"""Write files that exist whole or not at all, whenever the program is killed."""

from __future__ import annotations

import os
import os.path as osp
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from ..utils.errors import SaveError

#: What the names of unfinished files end in; they begin with a dot.
SUFFIX = '.tmp'


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a new file to write to, which takes the name ``path`` when all is written.

    It lies in the same folder, is brought to the disk, and renamed. A process that is
    killed, or a machine that fails, leaves the file that was there before, and perhaps
    a ``.tmp`` beside it.

    Args:
        path (str | Path): File to write; its folder is created where it is missing.

    Yields:
        Path: An empty file. It is removed where the block ends by an exception.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    path = Path(osp.abspath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of 255 bytes, the most that file systems take, leaves no room for more.
    descriptor, name = tempfile.mkstemp(SUFFIX, f'.{path.name[:40]}.', path.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        _sync(part)
        part.chmod(0o666 & ~_umask())
        os.replace(part, path)
        # A new name is only safe from a power failure with its folder.
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_text(text: str, path: str | Path) -> None:
    """Write a small text file in UTF-8, whole or not at all.

    Args:
        text (str): What it holds.
        path (str | Path): Its path.

    Raises:
        OSError: As :func:`replacing`.
    """
    with replacing(path) as part:
        part.write_text(text, encoding='utf-8')


@register_backend('atomic', force=True)
class AtomicBackend(LocalBackend):
    """Write files to the local disk atomically: a file is complete or absent.

    A file backend of mmengine: ``backend_args=dict(backend='atomic')``. See
    :func:`replacing`.
    """

    SUFFIX = SUFFIX

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file.

        Args:
            obj (bytes): Content of the file.
            filepath (str | Path): Path of the file; a missing folder is created.

        Raises:
            SaveError: The disk is full, or the folder cannot be written to.
        """
        try:
            with replacing(filepath) as part:
                part.write_bytes(obj)
        except OSError as error:
            raise SaveError(
                f'{osp.abspath(filepath)} ({len(obj):,} bytes) could not be written: '
                f'{error.strerror}. What was there before is untouched. Make room or '
                'choose another work_dir, and resume with --resume.'
            ) from error

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a text file, see :meth:`put`."""
        self.put(obj.encode(encoding), filepath)

    def remove_unfinished(self, folder: str | Path) -> None:
        """Remove partly written files that killed processes have left.

        Args:
            folder (str | Path): A folder that no process is writing to.
        """
        for path in Path(folder).glob(f'.*{SUFFIX}'):
            path.unlink()


def _umask() -> int:
    # Can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    """Bring a file or a folder to the disk."""
    if path.is_dir() and os.name == 'nt':
        # Windows does not open folders.
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
