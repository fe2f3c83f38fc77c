# Copyright (c) onestage_pose contributors.
"""CVAT's XML "for images": skeletons, points and boxes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ...structures.coco_records import quote
from ...utils.errors import AnnotationError
from ..labels import (
    HIDDEN,
    SEEN,
    Keypoint,
    LabelledImage,
    LabelledObject,
    Labels,
    Remarks,
    Template,
    find_split,
)
from .grouping import Box, Point, group_shapes
from .values import read_number, read_size

_REMEDY = 'group them in CVAT, or draw them as a skeleton'
# Within the drawing of a skeleton, whose quotation marks are escaped or not.
_EDGE = re.compile(r'data-node-from="(\d+)"[^>]*data-node-to="(\d+)"')
_CIRCLE = re.compile(r'<circle[^>]*>')
_NODE = re.compile(r'data-node-id="(\d+)"')
_NODE_NAME = re.compile(r'data-label-name="([^"]*)"')


def recognise(path: Path, content: Any) -> bool:
    """Return whether a file is an XML with the root ``annotations``."""
    return (
        path.suffix.lower() == '.xml'
        and isinstance(content, str)
        and '<annotations' in content
    )


class _Builder(ElementTree.TreeBuilder):
    """Refuses what CVAT never writes, and what can fill the memory: entities."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise AnnotationError('has a document type, which CVAT never writes')


def read(source: Path, remarks: Remarks) -> Labels:
    """Read an export.

    A skeleton is an object, with the box of its group where there is one. Points of one
    place are keypoints of the name of their label, which belong to their group or to
    the box that holds them; a shape of several points is an object whose keypoints have
    numbers.

    Args:
        source (Path): The XML file.
        remarks (Remarks): Is told what is left out.

    Returns:
        Labels: With the subsets as splits, and a template for each skeleton.

    Raises:
        AnnotationError: It is no XML of this kind, or a shape means nothing.
    """
    try:
        parser = ElementTree.XMLParser(target=_Builder())
        root = ElementTree.parse(source, parser).getroot()
    except ElementTree.ParseError as error:
        raise AnnotationError(f'{source}: is not valid XML ({error}).') from error
    except AnnotationError as error:
        raise AnnotationError(f'{source}: {error}.') from None
    if root.tag != 'annotations':
        raise AnnotationError(
            f'{source}: is <{root.tag}>, and CVAT writes <annotations>.'
        )
    if root.find('track') is not None:
        raise AnnotationError(
            f'{source}: is CVAT\'s "for video" (<track>); export the task as "CVAT for '
            'images 1.1" or "COCO Keypoints 1.0".'
        )
    labels = root.findall('./meta/*/labels/label')
    templates = _read_templates(labels, remarks)
    order = [label.findtext('name', '').strip() for label in labels]
    images = []
    for element in root.findall('image'):
        images.append(_read_image(source, element, templates, remarks))
    splits = sorted({image.split for image in images} - {''})
    base = source.parent
    folders = [base / 'images', *(base / 'images' / split for split in splits), base]
    for image in images:
        # CVAT's own name of a subset that has none
        known = find_split([image.split])
        image.split = known or ('' if image.split == 'default' else image.split)
    return Labels(images, folders, templates, order)


def _read_templates(
    labels: Sequence[ElementTree.Element], remarks: Remarks
) -> dict[str, Template]:
    templates: dict[str, Template] = {}
    for label in labels:
        name = label.findtext('name', '').strip()
        if label.findtext('type') == 'skeleton':
            templates[name] = Template(
                skeleton=_read_skeleton(label.findtext('svg') or '', name, remarks)
            )
    for label in labels:
        parent = (label.findtext('parent') or '').strip()
        if parent in templates:
            templates[parent].keypoints.append(label.findtext('name', '').strip())
    for template in templates.values():
        known = set(template.keypoints)
        template.skeleton = [
            pair for pair in template.skeleton if known.issuperset(pair)
        ]
    return {name: each for name, each in templates.items() if each.keypoints}


def _read_skeleton(
    drawing: str, category: str, remarks: Remarks
) -> list[tuple[str, str]]:
    names = {}
    for circle in _CIRCLE.findall(drawing):
        node, name = _NODE.search(circle), _NODE_NAME.search(circle)
        if node and name:
            names[node[1]] = name[1]
    edges = _EDGE.findall(drawing)
    pairs = [(names[a], names[b]) for a, b in edges if a in names and b in names]
    if len(pairs) < len(edges):
        remarks.leave_out(
            'lines of a skeleton whose drawing does not name its points',
            category,
        )
    return pairs


def _read_image(
    source: Path,
    element: ElementTree.Element,
    templates: Mapping[str, Template],
    remarks: Remarks,
) -> LabelledImage:
    name = element.get('name')
    where = f'{source}: image {name}'
    if not name:
        raise AnnotationError(f'{source}: an <image> has no name.')
    size = None
    if element.get('width') is not None:
        size = read_size(element.get('width'), element.get('height'), where)
    image = LabelledImage(
        [name], size=size, split=element.get('subset') or '', where=str(source)
    )
    id_ = element.get('id', '')
    if element.get('task_id') is None and id_.isdecimal():
        image.id = int(id_)
    boxes: list[Box] = []
    points: list[Point] = []
    skeletons: list[tuple[str | None, LabelledObject]] = []
    for shape in element:
        label = (shape.get('label') or '').strip()
        at = f'{where}, {shape.tag} {label}'
        # groups are counted from 1; 0 is none
        group = shape.get('group_id')
        group = None if group in (None, '', '0') else group
        if shape.tag == 'skeleton':
            skeletons.append((group, _read_object(shape, label, at)))
        elif shape.tag == 'box':
            boxes.append(_read_box(shape, label, group, at, remarks))
        elif shape.tag == 'points':
            places = _read_points(shape.get('points'), at)
            flag = _read_visibility(shape)
            if len(places) > 1:
                one = LabelledObject(label, where=at)
                for number, (x, y) in enumerate(places, 1):
                    one.keypoints[str(number)] = Keypoint(x, y, flag or SEEN)
                template = templates.get(label)
                if template and len(template.keypoints) == len(places):
                    one.keypoints = dict(
                        zip(template.keypoints, one.keypoints.values())
                    )
                skeletons.append((group, one))
            elif flag:
                points.append(Point(label, Keypoint(*places[0], flag), group))
        elif shape.tag != 'tag':
            remarks.leave_out(
                f'shapes of the kind {shape.tag}: skeletons, points and boxes are read',
                at,
            )
    for group, one in skeletons:
        mine = [box for box in boxes if group is not None and box.group == group]
        if mine:
            one.box = mine[0].box
            boxes.remove(mine[0])
        else:
            _take_holder(one, boxes)
        image.objects.append(one)
    image.objects += group_shapes(boxes, points, where, _REMEDY, remarks)
    return image


def _take_holder(one: LabelledObject, boxes: list[Box]) -> None:
    """Give a skeleton the only box of its class that holds all its keypoints."""
    holders = [
        box
        for box in boxes
        if box.group is None
        and box.category == one.category
        and one.keypoints
        and all(map(box.holds, one.keypoints.values()))
    ]
    if len(holders) == 1:
        one.box = holders[0].box
        boxes.remove(holders[0])


def _read_object(shape: ElementTree.Element, label: str, where: str) -> LabelledObject:
    one = LabelledObject(label, where=where)
    for point in shape.findall('points'):
        name = (point.get('label') or '').strip()
        places = _read_points(point.get('points'), f'{where}, {name}')
        if len(places) != 1 or not name or name in one.keypoints:
            raise AnnotationError(
                f'{where}: a point of a skeleton has one place and a label of its own, '
                f'not label={quote(name)} and points={quote(point.get("points"))}.'
            )
        flag = _read_visibility(point)
        if flag:
            one.keypoints[name] = Keypoint(*places[0], flag)
    return one


def _read_visibility(shape: ElementTree.Element) -> int:
    """Return COCO's visibility; 0 for a point outside of the image."""
    if shape.get('outside') == '1':
        return 0
    return HIDDEN if shape.get('occluded') == '1' else SEEN


def _read_points(text: str | None, where: str) -> list[tuple[float, float]]:
    pairs = [pair.split(',') for pair in (text or '').split(';') if pair]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise AnnotationError(f'{where} has points={quote(text)}; expected "x,y;x,y".')
    return [(read_number(x, where), read_number(y, where)) for x, y in pairs]


def _read_box(
    shape: ElementTree.Element,
    label: str,
    group: str | None,
    where: str,
    remarks: Remarks,
) -> Box:
    left, top, right, bottom = (
        read_number(shape.get(key), where) for key in ('xtl', 'ytl', 'xbr', 'ybr')
    )
    if read_number(shape.get('rotation') or 0, where):
        remarks.note('boxes are turned: they are taken as if they were not', where)
    return Box(label, (left, top, right - left, bottom - top), group)
