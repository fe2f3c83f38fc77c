# Copyright (c) onestage_pose contributors.
"""People as rows of a table."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..apis.result import PoseResult
from ..version import __version__

_OF_KEYPOINTS = ('keypoint_presence', 'keypoints_visible')


def make_schema(example: PoseResult) -> pa.Schema:
    """Return the columns that a model's results have.

    Args:
        example (PoseResult): Of any image, with or without people.

    Returns:
        pa.Schema: As docs/how_to/bulk.md says; its metadata has the names of the
        keypoints, as JSON.
    """
    number = len(example.names)
    of_each = pa.list_(pa.field('element', pa.float32()), number)
    columns = [
        pa.field('image', pa.string(), nullable=False),
        pa.field('index', pa.int64(), nullable=False),
        ('error', pa.string()),
        ('width', pa.int32()),
        ('height', pa.int32()),
        ('person', pa.int32()),
        ('score', pa.float32()),
        ('box', pa.list_(pa.field('element', pa.float32()), 4)),
        ('keypoints', pa.list_(pa.field('element', pa.float32()), 3 * number)),
    ]
    for name in _OF_KEYPOINTS:
        if getattr(example, name) is not None:
            columns.append((name, of_each))
    if example.categories:
        columns.append(('category', pa.string()))
    metadata = dict(
        keypoint_names=json.dumps(list(example.names)), onestage_pose=__version__
    )
    return pa.schema(columns, metadata)


def to_parquet(results: Iterable[tuple[str, PoseResult]], schema: pa.Schema) -> bytes:
    """Return the people of images as a Parquet file.

    Args:
        results (Iterable): The name of each image, and its result with its ``index``.
        schema (pa.Schema): As :func:`make_schema` returns it.

    Returns:
        bytes: The file: one row a person; one for an image without people, and for one
        that could not be read.
    """
    rows = [row for name, result in results for row in _rows(name, result)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer, compression='zstd')
    return buffer.getvalue()


def count_in_parquet(file: BinaryIO) -> tuple[int, int]:
    """Count by a file's footer, without reading its rows.

    Args:
        file (BinaryIO): What :func:`to_parquet` returns.

    Returns:
        tuple[int, int]: Images that could not be read, and people.

    Raises:
        pyarrow.ArrowInvalid: It is no such file.
    """
    metadata = pq.read_metadata(file)
    counts = dict(error=0, person=0)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in counts:
                known = column.num_values - column.statistics.null_count
                counts[column.path_in_schema] += known
    return counts['error'], counts['person']


def _rows(name: str, result: PoseResult) -> Iterator[dict[str, Any]]:
    # a name that is not UTF-8 is shown as it can be
    common: dict[str, Any] = dict(
        image=name.encode(errors='backslashreplace').decode(), index=result.index
    )
    if result.error is not None:
        yield dict(common, error=str(result.error).encode(errors='replace').decode())
        return
    common['height'], common['width'] = map(int, result.shape)
    if not len(result):
        yield common
        return
    people = dict(score=result.scores, box=result.boxes)
    for key in _OF_KEYPOINTS:
        values = getattr(result, key)
        if values is not None:
            people[key] = values
    scores = result.keypoint_scores[..., None]
    triples = np.concatenate([result.keypoints, scores], -1)
    people['keypoints'] = triples.reshape(len(result), -1)
    columns = [values.tolist() for values in people.values()]
    categories = result.category_names or [None] * len(result)
    for person, (category, *values) in enumerate(zip(categories, *columns)):
        row = dict(common, person=person, **dict(zip(people, values)))
        if category is not None:
            row['category'] = category
        yield row
