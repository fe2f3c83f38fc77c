# Copyright (c) onestage_pose contributors.
"""Which points and boxes of an image are one object."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from ...utils.errors import AnnotationError
from ..labels import Keypoint, LabelledObject, Remarks


class Point(NamedTuple):
    """A labelled point of an image.

    Attributes:
        name (str): Of the keypoint.
        keypoint (Keypoint): Its place.
        group (Hashable | None): What it shares with the box and the other points of its
            object.
        category (str | None): The class of the object, where the point says it.
    """

    name: str
    keypoint: Keypoint
    group: Hashable | None = None
    category: str | None = None


class Box(NamedTuple):
    """A labelled box of an image: class; x, y, width, height; group."""

    category: str
    box: tuple[float, float, float, float]
    group: Hashable | None = None

    def holds(self, point: Keypoint) -> bool:
        """Return whether a point lies in the box."""
        x, y, width, height = self.box
        return x <= point.x <= x + width and y <= point.y <= y + height


def group_shapes(
    boxes: Iterable[Box],
    points: Iterable[Point],
    where: str,
    remedy: str,
    remarks: Remarks,
) -> list[LabelledObject]:
    """Make objects of the boxes and points of an image.

    What has a group belongs to its group. A group without a box takes the only box
    without a group that holds all its points. A point without a group belongs to the
    only box that holds it; in an image with one box, to that one; and in an image
    without boxes, all such points are one object.

    Args:
        boxes (Iterable[Box]): All of the image.
        points (Iterable[Point]): All of the image.
        where (str): File and image, for messages.
        remedy (str): How the program groups them, for messages.
        remarks (Remarks): Is told of points that no box can be found for.

    Returns:
        list[LabelledObject]: Those with a box first, in their order.

    Raises:
        AnnotationError: A group has two boxes, or an object two points of one name.
    """
    objects = []
    grouped: dict[Hashable, LabelledObject] = {}
    boxes, points = list(boxes), list(points)
    for box in boxes:
        one = LabelledObject(box.category, box=box.box, where=where)
        objects.append(one)
        if box.group is None:
            continue
        if box.group in grouped:
            raise AnnotationError(
                f'{where}: two boxes are of the group {box.group!r}; an object has one '
                f'box, so correct one of them: {remedy}.'
            )
        grouped[box.group] = one
    free = [
        one for box, one in zip(boxes, objects) if box.group not in grouped
    ]  # without a group
    by_group: dict[Hashable, list[Point]] = {}
    for point in points:
        if point.group is not None:
            by_group.setdefault(point.group, []).append(point)
    for group, members in by_group.items():
        if group not in grouped:
            one = _find_holder(free, members)
            if one is None:
                one = LabelledObject(None, where=where)
                objects.append(one)
            else:
                free.remove(one)
            grouped[group] = one
        for point in members:
            _add(grouped[group], point, where, remedy)
    loose = [point for point in points if point.group is None]
    if loose and not boxes:
        one = LabelledObject(None, where=where)
        objects.append(one)
        for point in loose:
            _add(one, point, where, remedy)
        return objects
    for point in loose:
        holders = [o for b, o in zip(boxes, objects) if b.holds(point.keypoint)]
        if len(boxes) == 1:
            holders = objects[:1]
        if len(holders) == 1:
            _add(holders[0], point, where, remedy)
        else:
            remarks.leave_out(
                f'keypoints in no box or in several, which nobody can assign: {remedy}',
                f'{where}: {point.name}',
            )
    return objects


def _find_holder(
    free: list[LabelledObject], members: list[Point]
) -> LabelledObject | None:
    holders = [
        one
        for one in free
        if all(Box('', one.box).holds(point.keypoint) for point in members)
    ]
    return holders[0] if len(holders) == 1 else None


def _add(one: LabelledObject, point: Point, where: str, remedy: str) -> None:
    if point.name in one.keypoints:
        raise AnnotationError(
            f'{where}: one object has two keypoints named {point.name!r}; if they are '
            f'of two objects, {remedy}; otherwise delete one.'
        )
    one.category = one.category or point.category
    one.keypoints[point.name] = point.keypoint
