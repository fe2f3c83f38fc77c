# Copyright (c) onestage_pose contributors.
"""VGG Image Annotator 1 and 2: project, JSON of annotations, CSV of annotations."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...structures.coco_records import quote, read_json
from ...utils.errors import AnnotationError
from ..labels import HIDDEN, SEEN, Keypoint, LabelledImage, Labels, Remarks
from .grouping import Box, Point, group_shapes
from .labelme import is_hidden
from .values import read_number

_PROJECT = '_via_img_metadata'
_COLUMNS = {'filename', 'region_shape_attributes', 'region_attributes'}
# Attributes of a region, in the order in which they are looked for.
_NAME_KEYS = ('keypoint', 'name', 'label', 'landmark', 'point', 'part', 'joint', 'type')
_CLASS_KEYS = ('category', 'class', 'object', 'name', 'label', 'type')
_GROUP_KEYS = ('group_id', 'group', 'instance', 'instance_id', 'object_id', 'person_id')
_STATE_KEYS = ('visibility', 'visible', 'occluded', 'hidden')
_REMEDY = f'give them the same value of an attribute {", ".join(_GROUP_KEYS[:3])}'


def recognise(path: Path, content: Any) -> bool:
    """Return whether a file is VIA's project, annotations, or CSV."""
    if isinstance(content, str):
        head = content.splitlines()[0] if content else ''
        return path.suffix.lower() == '.csv' and _COLUMNS <= set(
            head.lstrip('#\ufeff').split(',')
        )
    if not isinstance(content, Mapping):
        return False
    if _PROJECT in content:
        return True
    return bool(content) and all(
        isinstance(each, Mapping) and {'filename', 'regions'} <= set(each)
        for each in content.values()
    )


def read(source: Path, remarks: Remarks) -> Labels:
    """Read an export.

    A rectangle, circle, ellipse or polygon is an object; a point is a keypoint. Their
    names and groups are attributes of the region.

    Args:
        source (Path): The JSON or CSV file.
        remarks (Remarks): Is told what is left out.

    Returns:
        Labels: The order of the keypoints is that of the options of their attribute.

    Raises:
        AnnotationError: It is another version's file, or a region means nothing.
    """
    order: list[str] = []
    if source.suffix.lower() == '.csv':
        records = _read_csv(source)
    else:
        content = read_json(str(source), "give VIA's JSON")
        if {'project', 'file', 'view', 'metadata'} <= set(content):
            raise AnnotationError(
                f"{source}: is a project of VIA 3, which is not read; export VIA 2's "
                'project, or the annotations as CSV of VIA 2.'
            )
        records = content.get(_PROJECT, content)
        attributes = (content.get('_via_attributes') or {}).get('region') or {}
        for attribute in attributes.values():
            if isinstance(attribute, Mapping):
                order += list(attribute.get('options') or ())
        records = records.values()
    images = []
    for record in records:
        if not isinstance(record, Mapping) or not isinstance(
            record.get('filename'), str
        ):
            raise AnnotationError(
                f'{source}: an image has no "filename": {quote(record)}.'
            )
        images.append(_read_image(source, record, remarks))
    return Labels(images, [source.parent, source.parent / 'images'], order=order)


def _read_csv(source: Path) -> Iterable[dict]:
    """Bring the rows of a CSV file, one for each region, into the form of JSON."""
    try:
        text = source.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise AnnotationError(f'{source}: is not UTF-8; save it as such.') from error
    rows = csv.DictReader(io.StringIO(text.removeprefix('#'), newline=''))
    images: dict[str, dict] = {}
    for place, row in enumerate(rows, 2):
        where = f'{source}, line {place}'
        name = row.get('filename')
        if not name:
            raise AnnotationError(f'{where}: has no filename.')
        image = images.setdefault(name, dict(filename=name, regions=[]))
        region = {}
        for key in ('shape_attributes', 'region_attributes'):
            column = key if key.startswith('region') else f'region_{key}'
            try:
                region[key] = json.loads(row.get(column) or '{}')
            except ValueError as error:
                raise AnnotationError(
                    f'{where}: {column} is {quote(row.get(column))}, expected JSON as '
                    'VIA writes it; was the file saved by a spreadsheet?'
                ) from error
        # an image without regions has one row, with empty ones
        if region['shape_attributes']:
            image['regions'].append(region)
    return images.values()


def _read_image(source: Path, record: Mapping, remarks: Remarks) -> LabelledImage:
    name = record['filename']
    where = f'{source}: {name}'
    regions = record.get('regions') or []
    if isinstance(regions, Mapping):  # of VIA 1
        regions = list(regions.values())
    boxes, points = [], []
    for number, region in enumerate(regions):
        at = f'{where}, region {number}'
        shape = region.get('shape_attributes') if isinstance(region, Mapping) else None
        if not isinstance(shape, Mapping):
            raise AnnotationError(f'{at}: has no "shape_attributes".')
        attributes = {
            str(key).casefold().strip(): _read_choice(value)
            for key, value in (region.get('region_attributes') or {}).items()
        }
        kind = shape.get('name')
        group = next(
            (attributes[key] for key in _GROUP_KEYS if attributes.get(key)), None
        )
        if kind == 'point':
            place = [_get(shape, key, at) for key in ('cx', 'cy')]
            visibility = _read_visibility(attributes, at)
            if visibility:
                label = _find_name(attributes, _NAME_KEYS, at)
                keypoint = Keypoint(*place, visibility)
                points.append(Point(label, keypoint, group))
        elif kind in ('rect', 'circle', 'ellipse', 'polygon'):
            label = _find_name(attributes, _CLASS_KEYS, at, 'object')
            boxes.append(Box(label, _read_box(shape, kind, at), group))
        else:
            remarks.leave_out(
                f'regions of the kind {kind}: points, rectangles, circles, ellipses '
                'and polygons are read',
                at,
            )
    objects = group_shapes(boxes, points, where, _REMEDY, remarks)
    return LabelledImage([name], objects, where=str(source))


def _read_choice(value: Any) -> str:
    """Return an attribute as text; of check boxes the one that is ticked."""
    if isinstance(value, Mapping):
        ticked = [str(key) for key, is_on in value.items() if is_on]
        return ticked[0] if len(ticked) == 1 else ''
    return '' if value is None else str(value).strip()


def _find_name(
    attributes: Mapping[str, str],
    keys: Iterable[str],
    where: str,
    default: str | None = None,
) -> str:
    for key in keys:
        if attributes.get(key):
            return attributes[key]
    others = set(attributes) - set(_GROUP_KEYS) - set(_STATE_KEYS)
    filled = [key for key in others if attributes[key]]
    if len(filled) == 1:
        return attributes[filled[0]]
    if default is not None and not filled:
        return default
    raise AnnotationError(
        f'{where}: which of its attributes ({quote(sorted(attributes))}) is its name? '
        f'Give every region one named {next(iter(keys))!r}.'
    )


def _read_visibility(attributes: Mapping[str, str], where: str) -> int:
    for key in _STATE_KEYS:
        word = attributes.get(key, '').casefold()
        if not word:
            continue
        if key == 'visibility' and word in ('0', '1', '2', '0.0', '1.0', '2.0'):
            return int(float(word))
        is_yes = word in ('1', 'yes', 'true', 'on', key)
        if is_yes or word in ('0', 'no', 'false', 'off'):
            state = 'visible' if key == 'visibility' else key
            return HIDDEN if is_hidden([(state, is_yes)]) else SEEN
        if is_hidden([(word, True)]):
            return HIDDEN
        if word not in ('visible', 'seen'):
            raise AnnotationError(
                f'{where}: {key}={word!r}; write 0 (not labelled), 1 (hidden) or 2 '
                '(seen).'
            )
        return SEEN
    return SEEN


def _get(shape: Mapping, key: str, where: str) -> float:
    if key not in shape:
        raise AnnotationError(f'{where}: has no "{key}".')
    return read_number(shape[key], f'{where}: {key}')


def _read_box(
    shape: Mapping, kind: str, where: str
) -> tuple[float, float, float, float]:
    if kind == 'rect':
        x, y, width, height = (
            _get(shape, key, where) for key in ('x', 'y', 'width', 'height')
        )
        return x, y, width, height
    if kind == 'polygon':
        xs, ys = (
            [read_number(value, where) for value in shape.get(key) or ()]
            for key in ('all_points_x', 'all_points_y')
        )
        if not xs or len(xs) != len(ys):
            raise AnnotationError(
                f'{where}: has {len(xs)} all_points_x and {len(ys)} all_points_y.'
            )
        return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    x, y = _get(shape, 'cx', where), _get(shape, 'cy', where)
    sides = ('r', 'r') if kind == 'circle' else ('rx', 'ry')
    rx, ry = (_get(shape, key, where) for key in sides)
    return x - rx, y - ry, 2 * rx, 2 * ry
