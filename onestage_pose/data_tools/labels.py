# Copyright (c) onestage_pose contributors.
"""What every converter reads its format into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

#: COCO's flags of visibility.
UNLABELLED, HIDDEN, SEEN = 0, 1, 2
#: Words by which annotation programs say that a keypoint is hidden, or seen.
HIDDEN_WORDS = ('occluded', 'hidden', 'invisible', 'not visible', 'difficult')
SEEN_WORDS = ('visible', 'seen')
# Examples that a remark names.
_EXAMPLES = 3


class Keypoint(NamedTuple):
    """A labelled point: x and y in pixels or fractions, and COCO's visibility."""

    x: float
    y: float
    visibility: int = SEEN


@dataclass
class LabelledObject:
    """A person or a thing in an image.

    Attributes:
        category (str | None): Its class; None where the format says none.
        keypoints (dict[str, Keypoint]): The labelled ones, by name.
        box (tuple | None): x, y, width, height in the unit of the keypoints.
        is_crowd (bool): A region of many, not one object.
        area (float | None): Square pixels, where the format has it.
        segmentation (Any): COCO's, where the format has it.
        id (int | None): The number that the format gives it.
        where (str): File and place, for messages.
    """

    category: str | None
    keypoints: dict[str, Keypoint] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None
    is_crowd: bool = False
    area: float | None = None
    segmentation: Any = None
    id: int | None = None
    where: str = ''


@dataclass
class LabelledImage:
    """An image and its objects.

    Attributes:
        names (list[str]): What it may be called, the likeliest first: paths below one
            of the folders of :class:`Labels`, or absolute ones.
        objects (list[LabelledObject]): May be empty.
        size (tuple[int, int] | None): Width and height that the format has.
        in_fractions (bool): Coordinates are fractions of the image, not pixels.
        split (str): ``'train'``, ``'val'``, ...; empty where there are no splits.
        id (int | None): The number that the format gives it.
        where (str): The file that describes it, for messages.
        folders (list[Path]): Where it may lie, before those of :class:`Labels`.
    """

    names: list[str]
    objects: list[LabelledObject] = field(default_factory=list)
    size: tuple[int, int] | None = None
    in_fractions: bool = False
    split: str = ''
    id: int | None = None
    where: str = ''
    folders: list[Path] = field(default_factory=list)


@dataclass
class Template:
    """The keypoints of a category, as far as the format describes them.

    Attributes:
        keypoints (list[str]): Their names, in order; empty where the order is not said.
        skeleton (list[tuple[str, str]]): Pairs of names that a line joins.
        flip_idx (list[int] | None): For each keypoint the place of the one that it
            changes with in a mirrored image.
        are_numbers (bool): The names are made up here and can be replaced in order.
        id (int | None): The number that the format gives the category.
    """

    keypoints: list[str] = field(default_factory=list)
    skeleton: list[tuple[str, str]] = field(default_factory=list)
    flip_idx: list[int] | None = None
    are_numbers: bool = False
    id: int | None = None


@dataclass
class Labels:
    """What a source holds.

    Attributes:
        images (list[LabelledImage]): In the source's order.
        folders (list[Path]): Where the images may lie, the likeliest first.
        templates (dict[str, Template]): By category.
        order (list[str]): In which keypoints of categories without a template stand;
            may hold names that are none.
    """

    images: list[LabelledImage]
    folders: list[Path]
    templates: dict[str, Template] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


class Remarks:
    """What was left out of a source, and what was taken otherwise than it stands."""

    def __init__(self) -> None:
        self._left_out: dict[str, list[str]] = {}
        self._notes: dict[str, list[str]] = {}

    def leave_out(self, what: str, where: str) -> None:
        """Count something that is not converted.

        Args:
            what (str): What it is and why, in the plural, after a number.
            where (str): File and place.
        """
        self._left_out.setdefault(what, []).append(where)

    def note(self, what: str, where: str) -> None:
        """Count something that is converted, but not as it stands."""
        self._notes.setdefault(what, []).append(where)

    def say(self, what: str) -> None:
        """Keep a remark about the whole source."""
        self._notes.setdefault(what, [])

    @property
    def left_out(self) -> list[str]:
        """list[str]: A line for each reason, with the number and the first places."""
        return _lines(self._left_out)

    @property
    def notes(self) -> list[str]:
        """list[str]: A line for each remark."""
        return _lines(self._notes)


def _lines(counted: dict[str, list[str]]) -> list[str]:
    return [
        f'{len(places)} {what} ({first(places)})' if places else what
        for what, places in counted.items()
    ]


def first(places: Sequence[Any]) -> str:
    """Return the first of many as text, with ``...`` where there are more."""
    more = ', ...' if len(places) > _EXAMPLES else ''
    return ', '.join(map(str, places[:_EXAMPLES])) + more


def find_split(parts: Iterable[str]) -> str:
    """Return the split that folders or a file name speak of; empty where none does."""
    for part in parts:
        for word in re.findall('[a-z]+', part.casefold()):  # train of train2017
            if word in _SPLITS:
                return _SPLITS[word]
    return ''


_SPLITS = {
    'train': 'train',
    'training': 'train',
    'val': 'val',
    'valid': 'val',
    'validation': 'val',
    'test': 'test',
    'testing': 'test',
}
