# Copyright (c) onestage_pose contributors.
import os
import os.path as osp
import tempfile
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from ..utils.errors import SaveError


@register_backend('atomic', force=True)
class AtomicBackend(LocalBackend):
    """The local disk, where a file is there whole or not at all.

    What is put is written under another name in the same folder, brought to the
    disk, and renamed. A process that is killed, or a machine that fails, leaves
    the file that was there before, and perhaps a ``.tmp`` beside it.

    Chosen by ``backend_args=dict(backend='atomic')``.
    """

    SUFFIX = '.tmp'

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Writes a file.

        Args:
            obj: What it is to hold.
            filepath: Its path; the folder is made where it is missing.

        Raises:
            SaveError: The disk is full, or the folder cannot be written to.
        """
        path = osp.abspath(filepath)
        folder, name = osp.split(path)
        written = None
        try:
            os.makedirs(folder, exist_ok=True)
            descriptor, written = tempfile.mkstemp(self.SUFFIX, f'.{name}.', folder)
            with os.fdopen(descriptor, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(descriptor)
            os.chmod(written, 0o666 & ~_umask())
            os.replace(written, path)
            _sync_folder(folder)
        except OSError as error:
            if written is not None and osp.exists(written):
                os.remove(written)
            raise SaveError(
                f'{path} ({len(obj):,} bytes) could not be written: {error.strerror}. '
                'What was there before is untouched. Make room or choose another '
                'work_dir, and go on with --resume.'
            ) from error

    def remove_unfinished(self, folder: str | Path) -> None:
        """Removes what killed processes have left of files they were writing.

        Args:
            folder: Where nobody is writing now.
        """
        for path in Path(folder).glob(f'.*{self.SUFFIX}'):
            path.unlink()

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Writes a text file, see :meth:`put`."""
        self.put(obj.encode(encoding), filepath)


def _umask() -> int:
    # Can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: str) -> None:
    # A new name is only safe from a power failure with its folder.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
