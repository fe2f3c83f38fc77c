# Copyright (c) onestage_pose contributors.
"""A part of the input: what a worker does at a time, and reads by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from ..apis.inputs import ImageItem, decode_image
from ..utils.errors import ImageError

# Rows of a Parquet file that are in memory together; they may hold encoded images.
_ROWS = 16


@dataclass(frozen=True)
class StoredItem(ImageItem):
    """An image whose ``path`` is an address that fsspec reads."""

    def load(self, loader: Any) -> dict:
        """Load the image, see :meth:`.ImageItem.load`."""
        try:
            with fsspec.open(self.path, 'rb') as file:
                content = file.read()
        except Exception as error:
            # each storage has errors of its own
            raise ImageError(f'{self.path}: cannot be read ({error}).') from error
        return loader(dict(img=decode_image(content, self.path), img_path=self.path))


@dataclass(frozen=True)
class EncodedItem(ImageItem):
    """An image of which the file's content is in memory.

    Attributes:
        content (bytes): Encoded.
    """

    content: bytes = b''

    def load(self, loader: Any) -> dict:
        """Load the image, see :meth:`.ImageItem.load`."""
        image = decode_image(self.content, self.name)
        return loader(dict(img=image, img_path=self.path))


def make_item(path: str) -> ImageItem:
    """Return the image of a path or of an address of any kind."""
    is_stored = '://' in path and not path.startswith(('http://', 'https://'))
    return (StoredItem if is_stored else ImageItem)(name=path, path=path)


@dataclass(frozen=True)
class Partition:
    """Images that follow each other in the input, of a list of paths.

    Attributes:
        number (int): Place among the partitions, from 0.
        start (int): Place of its first image in the input, from 0.
        paths (tuple[str, ...]): Of the images: paths and addresses.
    """

    number: int
    start: int
    paths: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.paths)

    def items(self) -> Iterator[ImageItem]:
        """Yield the images, not loaded yet."""
        return map(make_item, self.paths)


@dataclass(frozen=True)
class ParquetPartition(Partition):
    """Rows of a Parquet file that follow each other.

    Attributes:
        file (str): Path or address.
        first (int): Its first row, from 0.
        count (int): How many.
        column (str): Holds the images: bytes, paths, or Hugging Face's structure of
            both.
        name_column (str | None): Holds their names.
    """

    file: str = ''
    first: int = 0
    count: int = 0
    column: str = ''
    name_column: str | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return self.count

    def items(self) -> Iterator[ImageItem]:
        """Yield the images, not loaded yet."""
        columns = [self.column]
        if self.name_column is not None:
            columns.append(self.name_column)
        row = self.first
        for batch in self._batches(columns):
            values = batch.column(self.column).to_pylist()
            names = [None] * len(values)
            if self.name_column is not None:
                names = batch.column(self.name_column).to_pylist()
            for value, name in zip(values, names):
                yield self._make_item(value, name, row)
                row += 1

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with fsspec.open(self.file, 'rb') as opened:
            file = pq.ParquetFile(opened)
            groups, before = [], 0
            left_out = self.first
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if before + rows <= self.first:
                    left_out -= rows
                elif before < self.first + self.count:
                    groups.append(group)
                before += rows
            left = self.count
            for batch in file.iter_batches(_ROWS, groups, columns):
                dropped = min(left_out, len(batch))
                left_out -= dropped
                batch = batch.slice(dropped, left)
                left -= len(batch)
                if len(batch):
                    yield batch
                if not left:
                    return

    def _make_item(self, value: Any, name: Any, row: int) -> ImageItem:
        content = path = None
        if isinstance(value, dict):
            content, path = value.get('bytes'), value.get('path')
        elif isinstance(value, bytes):
            content = value
        else:
            path = value
        if content is None and path is not None:
            item = make_item(path)
            return item if name is None else replace(item, name=str(name))
        name = str(name if name is not None else path or f'{self.file}#{row}')
        if content is None:
            error = ImageError(f'{self.file}: row {row} has no image.')
            return ImageItem(name, path=name, error=error)
        return EncodedItem(name, path=name, content=content)
