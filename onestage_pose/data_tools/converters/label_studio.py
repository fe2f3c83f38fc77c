# Copyright (c) onestage_pose contributors.
"""Label Studio's JSON export: tasks with keypoints and rectangles in percent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ...structures.coco_records import quote, read_json
from ...utils.errors import AnnotationError
from ...utils.file_kinds import get_file_kind
from ..labels import (
    HIDDEN,
    HIDDEN_WORDS,
    SEEN,
    Keypoint,
    LabelledImage,
    Labels,
    Remarks,
)
from .grouping import Box, Point, group_shapes
from .values import read_number, read_size

_REMEDY = (
    'draw the keypoints inside their rectangle with a parent region, or relate them to '
    'it, in Label Studio'
)
# What Label Studio puts before the name of an uploaded file.
_UPLOADED = re.compile(r'^[0-9a-f]{8}-(?=.)')


def recognise(path: Path, content: Any) -> bool:
    """Return whether a file is a list of Label Studio's tasks."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], Mapping)
        and ('annotations' in content[0] or 'completions' in content[0])
        and isinstance(content[0].get('data'), Mapping)
    )


def read(source: Path, remarks: Remarks) -> Labels:
    """Read an export.

    A rectangle (or polygon) is an object of the class of its label. A keypoint belongs
    to its parent region, to the region that it is related to, or to the rectangle that
    holds it; it is hidden where its own choice says so. Of several annotations of a
    task the ground truth is taken, else the newest. A task without one is left out:
    nobody has said that there is no object in its image.

    Args:
        source (Path): The JSON file.
        remarks (Remarks): Is told what is left out.

    Returns:
        Labels: Without templates: the export does not say the order of the keypoints.

    Raises:
        AnnotationError: A task or region means nothing; names the task and the key.
    """
    content = read_json(str(source), 'give the JSON export', object)
    if not recognise(source, content):
        raise AnnotationError(
            f'{source}: is not a list of tasks with "data" and "annotations"; export '
            'the project as JSON (not JSON-MIN), or as COCO.'
        )
    images: list[LabelledImage] = []
    for place, task in enumerate(content):
        where = f'{source}: entry {place}'
        if not isinstance(task, Mapping) or not isinstance(task.get('data'), Mapping):
            raise AnnotationError(f'{where} has no "data"; export it as JSON anew.')
        where = f'{source}: task {task.get("id", place)}'
        names = _read_names(task['data'], where)
        annotation = _choose(task, where, remarks)
        if annotation is not None:
            images.append(_read_annotation(annotation, names, where, remarks))
    folders = [source.parent / 'images', source.parent]
    return Labels(images, folders)


def _read_annotation(
    annotation: Mapping, names: Sequence[str], where: str, remarks: Remarks
) -> LabelledImage:
    image = LabelledImage(names, in_fractions=True, where=where)
    result = annotation.get('result')
    if not isinstance(result, list) or not all(isinstance(r, Mapping) for r in result):
        raise AnnotationError(f'{where}: its "result" is {quote(result)}, no list.')
    regions, parents, hidden = _read_regions(result, where)
    boxes, points = [], []
    for id_, region in regions.items():
        value, at = region['value'], f'{where}, region {id_}'
        if region.get('image_rotation'):
            raise AnnotationError(
                f'{at}: image_rotation={quote(region["image_rotation"])}: the image '
                'was turned in Label Studio; turn it back there, or turn the file.'
            )
        if region.get('original_width') is not None:
            image.size = read_size(
                region['original_width'], region.get('original_height'), at
            )
        _read_region(id_, value, image.size, at, boxes, points, remarks)
    known = {box.group for box in boxes}
    points = [
        point._replace(
            group=parents.get(point.group)
            if parents.get(point.group) in known
            else None,
            keypoint=point.keypoint._replace(
                visibility=HIDDEN if point.group in hidden else SEEN
            ),
        )
        for point in points
    ]
    image.objects = group_shapes(boxes, points, where, _REMEDY, remarks)
    return image


def _read_names(data: Mapping, where: str) -> list[str]:
    """Return what the image of a task may be called, from its address."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    found = [key for key, value in texts.items() if _is_image(value)]
    named = [key for key in ('image', 'img') if key in texts]
    keys = named or found
    if not keys or (not named and len(found) > 1):
        raise AnnotationError(
            f'{where}: which of its data ({quote(sorted(data))}) is the image? Name it '
            '"image".'
        )
    address = texts[keys[0]]
    parts = urlsplit(address)
    in_query = parse_qs(parts.query).get('d')
    name = in_query[0] if in_query else address
    if not in_query and '://' in address:
        name = parts.path.lstrip('/')
    file_name = re.split(r'[\\/]', name)[-1]
    shorter = [name.removeprefix('/data/upload/'), file_name]
    return list(dict.fromkeys([name, *shorter, _UPLOADED.sub('', file_name)]))


def _is_image(address: str) -> bool:
    parts = urlsplit(address)
    return any(
        get_file_kind(each) == 'image' for each in (parts.path, parts.query) if each
    )


def _choose(task: Mapping, where: str, remarks: Remarks) -> Mapping | None:
    """Return the annotation of a task that counts; None where there is none."""
    given = task.get('annotations', task.get('completions')) or []
    if not isinstance(given, list) or not all(isinstance(a, Mapping) for a in given):
        raise AnnotationError(f'{where}: "annotations" is {quote(given)}, no list.')
    valid = [each for each in given if not each.get('was_cancelled')]
    if len(valid) < len(given):
        remarks.leave_out('annotations that were skipped in Label Studio', where)
    if not valid:
        remarks.leave_out('images of tasks that nobody has annotated', where)
        return None
    if len(valid) > 1:
        remarks.leave_out(
            'tasks with several annotations, of which the ground truth or the newest '
            'is taken and the others are not',
            where,
        )
    return max(
        enumerate(valid),
        key=lambda each: (
            bool(each[1].get('ground_truth')),
            str(each[1].get('updated_at') or ''),
            each[0],
        ),
    )[1]


def _read_regions(
    result: Sequence[Mapping], where: str
) -> tuple[dict[str, dict], dict[str, str], set[str]]:
    """Bring together what a result says of each region.

    Returns:
        tuple[dict, dict, set]: By id the regions with a shape; by id the region that
        another one belongs to; and the ids of those that are hidden.
    """
    regions: dict[str, dict] = {}
    parents: dict[str, str] = {}
    related, hidden = [], set()
    for place, item in enumerate(result):
        if item.get('type') == 'relation':
            related.append((item.get('from_id'), item.get('to_id')))
            continue
        value = item.get('value')
        id_ = str(item.get('id', place))
        if not isinstance(value, Mapping):
            raise AnnotationError(f'{where}, region {id_}: has no "value".')
        choices = value.get('choices')
        if choices is not None:
            words = [str(word).casefold().replace('_', ' ') for word in choices]
            if set(words) & set(HIDDEN_WORDS):
                hidden.add(id_)
            continue
        known = regions.setdefault(id_, {**item, 'value': {}})
        known['value'].update(value)
        if item.get('parentID'):
            parents[id_] = str(item['parentID'])
    for one, other in related:
        pair = [str(one), str(other)]
        if all(id_ in regions for id_ in pair):
            # from the point to the rectangle, or the other way round
            pair.sort(key=lambda id_: 'height' in regions[id_]['value'])
            parents.setdefault(*pair)
    return regions, parents, hidden


def _read_region(
    id_: str,
    value: Mapping,
    size: tuple[int, int] | None,
    where: str,
    boxes: list[Box],
    points: list[Point],
    remarks: Remarks,
) -> None:
    kinds = [key for key in value if key.endswith('labels')]
    labels = value[kinds[0]] if kinds else None
    if not isinstance(labels, list) or len(labels) != 1:
        remarks.leave_out('regions without a label, or with several', where)
        return
    label = str(labels[0])
    if 'points' in value:
        given = value['points']
        if not isinstance(given, list) or any(
            not isinstance(each, list) or len(each) != 2 for each in given or [0]
        ):
            raise AnnotationError(
                f'{where}: points={quote(given)}; expected x, y each.'
            )
        corners = [
            (read_number(x, where) / 100, read_number(y, where) / 100) for x, y in given
        ]
        xs, ys = zip(*corners)
        box = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
        boxes.append(Box(label, box, id_))
        return
    if not {'x', 'y'} <= set(value):
        remarks.leave_out(
            f'regions of the kind {kinds[0]}: keypoints, rectangles and polygons are '
            'read',
            where,
        )
        return
    x, y = (read_number(value[key], where) / 100 for key in ('x', 'y'))
    if 'height' not in value or kinds[0] == 'keypointlabels':
        points.append(Point(label, Keypoint(x, y), id_))
    elif 'width' in value:
        width, height = (
            read_number(value[key], where) / 100 for key in ('width', 'height')
        )
        turn = read_number(value.get('rotation') or 0, where)
        box = (x, y, width, height)
        if turn:
            box = _surround(box, turn, size or (1, 1))
            remarks.note(
                'rectangles are turned: the upright box around each is taken', where
            )
        boxes.append(Box(label, box, id_))


def _surround(
    box: tuple[float, ...], degrees: float, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return the upright box around one that is turned about its top left corner."""
    width, height = size
    x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(a * cos - b * sin, a * sin + b * cos) for a in (0, w) for b in (0, h)]
    xs, ys = ([corner[axis] for corner in corners] for axis in (0, 1))
    return (
        (x + min(xs)) / width,
        (y + min(ys)) / height,
        (max(xs) - min(xs)) / width,
        (max(ys) - min(ys)) / height,
    )
