# Copyright (c) onestage_pose contributors.
"""Where results go, what is done already, and for what it was asked."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import fsspec

from ..apis.writing import to_json
from ..checkpoints.atomic import AtomicBackend, replacing
from ..checkpoints.lock import lock_folder
from ..utils.errors import OutputError, UsageError

#: Says what was asked for. Readers of Parquet pass over names with an underscore.
MANIFEST = '_manifest.json'
_LOCK = '.bulk.lock'
_NOT_SHARED = ('memory://',)
#: Have no folders; asked to make one, they make a bucket, also of a name mistyped.
_OBJECT_STORAGE = ('s3', 's3a', 'gs', 'gcs', 'az', 'abfs', 'abfss', 'oss', 'oci')
_PART = re.compile(r'part-(\d{6,})\.')


class Folder:
    """A folder of files that are there whole or not at all.

    Args:
        address (str): A path, or an address that fsspec writes to.

    Raises:
        UsageError: An address of a storage that is not known or not installed, or that
            other processes do not see.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip('/') or address
        self._storage = None
        if '://' not in address:
            self._root = os.path.abspath(os.path.expanduser(address))
            return
        if address.startswith(_NOT_SHARED):
            raise UsageError(
                f'{address}: what one process writes there no other sees; give a '
                'folder, or an address of object storage.'
            )
        try:
            self._storage, self._root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise UsageError(f'{address}: {error}.') from error

    @property
    def is_local(self) -> bool:
        """bool: Whether it is a path."""
        return self._storage is None

    def names(self) -> set[str]:
        """Return the names of what is in it, less hidden ones."""
        try:
            if self.is_local:
                found = os.listdir(self._root)
            else:
                self._storage.invalidate_cache()
                paths = self._storage.ls(self._root, detail=False)
                found = [path.rstrip('/').rpartition('/')[2] for path in paths]
        except FileNotFoundError:
            return set()
        return {name for name in found if not name.startswith('.')}

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        if self.is_local:
            return Path(self._root, name).read_bytes()
        return self._storage.cat_file(f'{self._root}/{name}')

    def open(self, name: str) -> BinaryIO:
        """Open a file to read parts of it."""
        if self.is_local:
            return Path(self._root, name).open('rb')
        return self._storage.open(f'{self._root}/{name}', 'rb')

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file to write to, which gets its name when it is whole.

        Raises:
            OutputError: It cannot be written.
        """
        try:
            if self.is_local:
                with replacing(Path(self._root, name)) as part:
                    with part.open('wb') as file:
                        yield file
                return
            part = f'{self._root}/.{name}.{uuid.uuid4().hex}.tmp'
            if self.address.partition('://')[0] not in _OBJECT_STORAGE:
                self._storage.makedirs(self._root, exist_ok=True)
            with self._storage.open(part, 'wb') as file:
                yield file
            self._storage.mv(part, f'{self._root}/{name}')
        except OSError as error:
            raise OutputError(
                f'{self.address}/{name} could not be written: '
                f'{error.strerror or error}. The same command continues.'
            ) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file, see :meth:`writing`."""
        with self.writing(name) as file:
            file.write(content)

    def remove(self, name: str) -> None:
        """Remove a file."""
        if self.is_local:
            Path(self._root, name).unlink()
        else:
            self._storage.rm_file(f'{self._root}/{name}')

    def lock(self) -> None:
        """Keep other processes out of it until this one ends, where it is a path.

        Removes the unfinished files of those that were killed.

        Raises:
            UsageError: Another process writes into it, or it cannot be written to.
        """
        if not self.is_local:
            return
        try:
            os.makedirs(self._root, exist_ok=True)
            lock_folder(
                self._root,
                _LOCK,
                'writes into this folder: wait for it, or give another.',
            )
        except OSError as error:
            raise UsageError(
                f'cannot write to {self.address} ({error.strerror}); give another '
                'folder.'
            ) from error
        AtomicBackend().remove_unfinished(self._root)


class Manifest:
    """What a folder's files are the answer to, and which of them are there.

    ``_manifest.json`` is written before the first partition. A partition is done when
    its file has its name.

    Args:
        folder (Folder): Where results go.
        asked (Mapping): What they depend on, for JSON.

    Attributes:
        is_finished (bool): Everything is done.
        found (dict, optional): What :meth:`finish` was told.

    Raises:
        UsageError: The folder holds results of something else, or other files.
    """

    def __init__(self, folder: Folder, asked: Mapping[str, Any]) -> None:
        self.folder = folder
        # as JSON gives it back
        self._asked = json.loads(to_json(asked))
        before = read_manifest(folder)
        self.is_finished = bool(before) and before['is_finished']
        self.found = before['found'] if self.is_finished else None
        if before is not None:
            self._compare(before['asked'])
            return
        names = folder.names() - {MANIFEST}
        if names:
            raise UsageError(
                f'{folder.address} holds files, such as {min(names)}, and no '
                f'{MANIFEST}: give a new folder, or an empty one.'
            )
        self._write()

    def done(self) -> set[int]:
        """Return the numbers of the partitions that are done."""
        return _numbers(self.folder.names())

    def finish(self, found: Mapping[str, int] | None = None) -> None:
        """Say in the manifest that everything is done.

        Args:
            found (Mapping | None): How much there is in all.
        """
        self.is_finished, self.found = True, found
        self._write()

    def _write(self) -> None:
        saved = dict(is_finished=self.is_finished, asked=self._asked)
        if self.found is not None:
            saved['found'] = self.found
        self.folder.write(MANIFEST, to_json(saved).encode() + b'\n')

    def _compare(self, before: Mapping[str, Any]) -> None:
        for name in sorted({*before, *self._asked}):
            was, now = before.get(name), self._asked.get(name)
            if was != now:
                raise UsageError(
                    f'{self.folder.address} was begun with {name}={was!r}, and now it '
                    f'is {now!r}: give the same to continue, or another folder.'
                )


def read_manifest(folder: Folder) -> dict[str, Any] | None:
    """Return a folder's manifest: ``is_finished``, ``asked`` and ``found``.

    None where there is none, and where no partition is done: it binds nobody then.

    Raises:
        UsageError: It cannot be read.
    """
    names = folder.names()
    if MANIFEST not in names:
        return None
    try:
        found = json.loads(folder.read(MANIFEST))
        is_finished, asked = bool(found['is_finished']), {**found['asked']}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f'{folder.address}/{MANIFEST} cannot be read ({error}): give another '
            'folder.'
        ) from error
    if not is_finished and not _numbers(names):
        return None
    return dict(is_finished=is_finished, asked=asked, found=found.get('found'))


def _numbers(names: Iterable[str]) -> set[int]:
    """Return the numbers of the partitions whose files have these names."""
    found = map(_PART.match, names)
    return {int(match[1]) for match in found if match}


def name_partition(number: int, ending: str) -> str:
    """Return the name of a partition's file."""
    return f'part-{number:06d}{ending}'
