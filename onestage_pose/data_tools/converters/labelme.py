# Copyright (c) onestage_pose contributors.
"""LabelMe: a JSON file for each image, with points, rectangles and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...structures.coco_records import quote, read_json
from ...utils.errors import AnnotationError
from ..labels import (
    HIDDEN,
    HIDDEN_WORDS,
    SEEN,
    SEEN_WORDS,
    Keypoint,
    LabelledImage,
    Labels,
    Remarks,
    find_split,
)
from .grouping import Box, Point, group_shapes
from .values import read_number, read_size

_REMEDY = 'give what belongs together the same group_id in LabelMe'
_OUTLINES = ('rectangle', 'polygon')


def recognise(path: Path, content: Any) -> bool:
    """Return whether a file is LabelMe's of one image."""
    return isinstance(content, Mapping) and {'shapes', 'imagePath'} <= set(content)


def read(source: Path, remarks: Remarks) -> Labels:
    """Read a folder of LabelMe's files, folders within it included.

    A rectangle (or polygon) is an object of the class of its label; a point is the
    keypoint of its label, hidden where one of its flags says so.

    Args:
        source (Path): The folder, or one file.
        remarks (Remarks): Is told what is left out.

    Returns:
        Labels: A folder ``train`` or ``val`` is a split. The order of the keypoints is
        that of ``labels.txt``, where the folder has one.

    Raises:
        AnnotationError: A shape means nothing; names file, shape and remedy.
    """
    root = source if source.is_dir() else source.parent
    files = sorted(source.rglob('*.json')) if source.is_dir() else [source]
    images = []
    for path in files:
        content = read_json(str(path), 'give a folder of LabelMe files', object)
        if not recognise(path, content):
            remarks.leave_out('JSON files that are not of LabelMe', str(path))
            continue
        images.append(_read_image(path, content, remarks))
        images[-1].split = find_split(path.relative_to(root).parts[:-1])
    return Labels(images, [root], order=_read_order(root))


def _read_order(root: Path) -> list[str]:
    """Return what LabelMe's own list of labels says of the order."""
    path = root / 'labels.txt'
    if not path.is_file():
        return []
    lines = path.read_text(encoding='utf-8-sig').splitlines()
    # __ignore__ and _background_ are LabelMe's
    return [line.strip() for line in lines if line.strip().strip('_')]


def _read_image(path: Path, content: Mapping, remarks: Remarks) -> LabelledImage:
    name = content['imagePath']
    if not isinstance(name, str) or not name:
        raise AnnotationError(
            f'{path}: imagePath={quote(name)}; write the path of the image.'
        )
    size = None
    if content.get('imageWidth') and content.get('imageHeight'):
        size = read_size(
            content['imageWidth'], content['imageHeight'], f'{path}: imageWidth'
        )
    shapes = content['shapes']
    if not isinstance(shapes, list):
        raise AnnotationError(f'{path}: shapes={quote(shapes)}; expected a list.')
    boxes, points = [], []
    for number, shape in enumerate(shapes):
        where = f'{path}: shapes[{number}]'
        if not isinstance(shape, Mapping) or not isinstance(shape.get('label'), str):
            raise AnnotationError(f'{where} has no "label"; name it in LabelMe.')
        kind, label = shape.get('shape_type') or 'polygon', shape['label'].strip()
        where = f'{where} ({label})'
        group = shape.get('group_id')
        if kind == 'point':
            [(x, y)] = _read_points(shape, where, 1)
            point = Keypoint(x, y, _read_visibility(shape))
            points.append(Point(label, point, group))
        elif kind in _OUTLINES:
            corners = _read_points(shape, where, 2)
            xs, ys = zip(*corners)
            box = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
            boxes.append(Box(label, box, group))
        else:
            remarks.leave_out(
                f'shapes of the kind {kind}: points, rectangles and polygons are read',
                where,
            )
    # relative to the file; a renamed image keeps its old name in the file
    beside = path.parent / name.replace('\\', '/').rsplit('/', 1)[-1]
    names = [str(path.parent / name), str(path.parent / name.replace('\\', '/'))]
    objects = group_shapes(boxes, points, str(path), _REMEDY, remarks)
    return LabelledImage([*names, str(beside)], objects, size, where=str(path))


def _read_points(shape: Mapping, where: str, number: int) -> list[tuple[float, float]]:
    points = shape.get('points')
    fits = isinstance(points, list) and (
        len(points) == 1 if number == 1 else len(points) >= number
    )
    if not fits or any(not isinstance(p, list) or len(p) != 2 for p in points):
        raise AnnotationError(
            f'{where} has points={quote(points)}; expected a list of {number} x, y.'
        )
    return [(read_number(x, where), read_number(y, where)) for x, y in points]


def _read_visibility(shape: Mapping) -> int:
    given = shape.get('flags')
    flags = dict(given) if isinstance(given, Mapping) else {}
    flags['difficult'] = shape.get('difficult')
    return HIDDEN if is_hidden(flags.items()) else SEEN


def is_hidden(flags: Iterable[tuple[str, Any]]) -> bool:
    """Return whether flags, by name, say that a point is hidden."""
    for name, value in flags:
        word = name.casefold().replace('_', ' ')
        if (word in HIDDEN_WORDS and value is True) or (
            word in SEEN_WORDS and value is False
        ):
            return True
    return False
