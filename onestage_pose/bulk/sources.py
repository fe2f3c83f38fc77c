# Copyright (c) onestage_pose contributors.
"""Find the images that are meant, and divide them the same way every time."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from ..apis.inputs import open_inputs
from ..utils.errors import UsageError
from ..utils.file_kinds import get_file_kind
from ..utils.paths import check_input_exists
from ..utils.suggestions import did_you_mean
from .partitions import ParquetPartition, Partition

#: Endings of a file that lists images, one a line.
LISTS = ('.txt', '.list')
_PATTERN = '*?['
_KINDS = (
    'give a folder, a pattern ("images/*.jpg"), a list of paths (.txt), a Parquet '
    'file, or an address of one of these'
)


class Source(Protocol):
    """The images of a job, in an order that is always the same.

    Attributes:
        left_out (list[str]): Names of files in a folder that are no images by name.
    """

    left_out: list[str]

    def __len__(self) -> int:
        """Return the number of images."""

    def digest(self) -> str:
        """Return the SHA-256 of what the list of images depends on."""

    def names(self) -> Iterator[str | None]:
        """Yield the name of each image; None for one that has none."""

    def partitions(self, size: int) -> list[Partition]:
        """Divide the images into partitions of at most ``size``."""


def open_source(
    text: str,
    recursive: bool = False,
    column: str | None = None,
    name_column: str | None = None,
) -> Source:
    """Find the images that are meant.

    Args:
        text (str): A folder of images or of Parquet files, a pattern, a list of paths
            (.txt, one a line), or a Parquet file: a path, or an address that fsspec
            reads.
        recursive (bool): Look into the folders of a folder too.
        column (str | None): Of a Parquet file, holds the images. None takes the only
            one that can be.
        name_column (str | None): Of a Parquet file, holds the names of the images.

    Returns:
        Source: At least one image.

    Raises:
        UsageError: There is no such thing, no image in it, or no such column.
    """
    files = _find(text, recursive)
    if files and all(_has_ending(file, '.parquet') for file in files):
        return ParquetSource(files, column, name_column)
    if any(_has_ending(file, '.parquet') for file in files):
        raise UsageError(
            f'{text} holds images and Parquet files: give a pattern of one kind, such '
            f'as "{text.rstrip("/")}/*.parquet".'
        )
    if column is not None or name_column is not None:
        raise UsageError('--column and --name-column are for Parquet files.')
    if len(files) == 1 and _has_ending(files[0], *LISTS):
        return PathSource(_read_list(files[0]))
    images, others = [], []
    for file in files:
        if get_file_kind(_head(file)) == 'image':
            images.append(file)
        else:
            others.append(PurePosixPath(_head(file)).name)
    if not images:
        found = f', but {", ".join(others[:3])}' if others else ''
        beside = '' if recursive else '; --recursive includes subfolders'
        raise UsageError(f'{text} holds no image{found}{beside}: {_KINDS}.')
    return PathSource(images, others)


class PathSource:
    """Images that are files, or have addresses; see :class:`Source`."""

    def __init__(self, paths: Sequence[str], left_out: Sequence[str] = ()) -> None:
        self.paths, self.left_out = tuple(paths), list(left_out)

    def __len__(self) -> int:
        """See :class:`Source`."""
        return len(self.paths)

    def digest(self) -> str:
        """See :class:`Source`."""
        return _digest(self.paths)

    def names(self) -> Iterator[str]:
        """See :class:`Source`."""
        return iter(self.paths)

    def partitions(self, size: int) -> list[Partition]:
        """See :class:`Source`."""
        starts = range(0, len(self), size)
        return [
            Partition(number, start, self.paths[start : start + size])
            for number, start in enumerate(starts)
        ]


class _ParquetFile(NamedTuple):
    path: str
    schema: pa.Schema
    #: rows of each row group
    groups: tuple[int, ...]


class ParquetSource:
    """Images that are rows of Parquet files; see :class:`Source`."""

    def __init__(
        self, paths: Sequence[str], column: str | None, name_column: str | None
    ) -> None:
        self.files = [_read_footer(path) for path in paths]
        self.left_out: list[str] = []
        first = self.files[0]
        self.column = _choose_column(first, column)
        self.name_column = name_column
        for file in self.files:
            for name in filter(None, (self.column, name_column)):
                _check_column(file, name, first)
        if not len(self):
            raise UsageError(f'{first.path}: there is no row in it.')

    def __len__(self) -> int:
        """See :class:`Source`."""
        return sum(sum(file.groups) for file in self.files)

    def digest(self) -> str:
        """See :class:`Source`."""
        files = [(file.path, file.groups) for file in self.files]
        return _digest([self.column, self.name_column, *files])

    def names(self) -> Iterator[str | None]:
        """See :class:`Source`."""
        column = self.name_column
        if column is None:
            kind = self.files[0].schema.field(self.column).type
            if _is_binary(kind):
                yield from [None] * len(self)
                return
            column = self.column
            if pa.types.is_struct(kind):
                column = f'{self.column}.path'
        for file in self.files:
            with fsspec.open(file.path, 'rb') as opened:
                for batch in pq.ParquetFile(opened).iter_batches(columns=[column]):
                    for value in batch.column(0).to_pylist():
                        found = value['path'] if isinstance(value, dict) else value
                        yield None if found is None else str(found)

    def partitions(self, size: int) -> list[Partition]:
        """See :class:`Source`; row groups that are small enough are kept whole."""
        found: list[Partition] = []
        start = 0
        for file in self.files:
            first = 0
            for count in _divide(file.groups, size):
                found.append(
                    ParquetPartition(
                        number=len(found),
                        start=start + first,
                        file=file.path,
                        first=first,
                        count=count,
                        column=self.column,
                        name_column=self.name_column,
                    )
                )
                first += count
            start += first
        return found


def _divide(groups: Iterable[int], size: int) -> Iterator[int]:
    """Yield numbers of rows that follow each other, each at most ``size``."""
    gathered = 0
    for rows in groups:
        if gathered and gathered + rows > size:
            yield gathered
            gathered = 0
        gathered += rows
        while gathered > size:
            yield size
            gathered -= size
    if gathered:
        yield gathered


def _find(text: str, recursive: bool) -> list[str]:
    if '://' in text:
        return _find_stored(text, recursive)
    path = os.path.expanduser(text)
    if os.path.isfile(path):
        if not (_has_ending(path, '.parquet', *LISTS) or get_file_kind(path)):
            raise UsageError(
                f'{text} is not an image by its name, nor a list: {_KINDS}.'
            )
        return [path]
    tables: list[Path] = []
    if os.path.isdir(path):
        tables = [*Path(path).glob('**/*.parquet' if recursive else '*.parquet')]
    elif any(sign in path for sign in _PATTERN):
        tables = [Path(found) for found in glob.glob(path, recursive=True)]
        tables = [found for found in tables if found.suffix == '.parquet']
    else:
        check_input_exists(text)
    try:
        inputs = open_inputs(path, recursive=recursive)
    except UsageError:
        if not tables:
            raise
        return sorted(map(str, tables))
    if inputs.video is not None:
        raise UsageError(f'{text} is a video; onestage-pose predict takes these.')
    images = [item.path for item in inputs.items]
    return [*images, *inputs.left_out]


def _find_stored(text: str, recursive: bool) -> list[str]:
    """List what is at an address, such as ``s3://`` or ``zip://*.jpg::s3://``."""
    head, chain, tail = text.partition('::')
    protocol = head.partition('://')[0]
    try:
        storage, root = fsspec.core.url_to_fs(text)
        if any(sign in root for sign in _PATTERN):
            found = storage.glob(root)
        elif storage.isdir(root):
            found = storage.find(root, maxdepth=None if recursive else 1)
        else:
            storage.info(root)
            found = [root]
    except ImportError as error:
        raise UsageError(f'{text}: {error}.') from error
    except Exception as error:
        # each storage has errors of its own
        raise UsageError(f'{text} cannot be read ({error}).') from error
    files = sorted(
        f'{protocol}://{path}{chain}{tail}'
        for path in found
        if not PurePosixPath(path).name.startswith('.')
    )
    if not files:
        raise UsageError(f'there is no file at {text}.')
    return files


def _read_list(path: str) -> list[str]:
    with fsspec.open(path, 'rb') as file:
        lines = file.read().decode('utf-8', 'surrogateescape').split('\n')
    folder = path.rpartition('/')[0]
    found = []
    for line in filter(None, map(str.strip, lines)):
        is_whole = '://' in line or os.path.isabs(line) or not folder
        found.append(line if is_whole else f'{folder}/{line}')
    if not found:
        raise UsageError(f'{path}: this list has no line.')
    return found


def _read_footer(path: str) -> _ParquetFile:
    try:
        with fsspec.open(path, 'rb') as opened:
            file = pq.ParquetFile(opened)
            metadata = file.metadata
            rows = [
                metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)
            ]
            return _ParquetFile(path, file.schema_arrow, tuple(rows))
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f'{path} is not a Parquet file ({error}).') from error


def _is_binary(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_image(kind: pa.DataType) -> bool:
    """Whether a column holds bytes, or Hugging Face's ``{bytes, path}``."""
    if not pa.types.is_struct(kind):
        return _is_binary(kind)
    names = {kind.field(n).name for n in range(kind.num_fields)}
    return {'bytes', 'path'} <= names


def _choose_column(file: _ParquetFile, column: str | None) -> str:
    names = file.schema.names
    if column is not None:
        if column not in names:
            raise UsageError(
                f'--column: {file.path} has no column {column!r}, but '
                f'{", ".join(names)}.{did_you_mean(column, names)}'
            )
        kind = file.schema.field(column).type
        if not (_is_image(kind) or _is_text(kind)):
            raise UsageError(
                f'--column {column}: this column of {file.path} is {kind}; images are '
                "binary, paths are strings, and Hugging Face's are {bytes, path}."
            )
        return column
    for is_it in (_is_image, _is_text):
        found = [name for name in names if is_it(file.schema.field(name).type)]
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise UsageError(
        f'{file.path} has the columns {", ".join(names)}: say by --column which of '
        'them holds the images (bytes) or their paths (text).'
    )


def _check_column(file: _ParquetFile, name: str, first: _ParquetFile) -> None:
    names = file.schema.names
    if name not in names:
        raise UsageError(
            f'{file.path} has no column {name!r}, but {", ".join(names)}.'
            f'{did_you_mean(name, names)}'
        )
    kind, expected = file.schema.field(name).type, first.schema.field(name).type
    if kind != expected:
        raise UsageError(
            f'{file.path}: the column {name} is {kind}, and {expected} in {first.path}.'
        )


def _has_ending(path: str, *endings: str) -> bool:
    return _head(path).endswith(endings)


def _head(path: str) -> str:
    """Return an address without what it is in: of ``zip://a.jpg::b.zip`` the first."""
    return path.partition('::')[0]


def _digest(lines: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(json.dumps(line).encode() + b'\n')
    return digest.hexdigest()
