# Copyright (c) onestage_pose contributors.
"""The worst cases of each kind, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .errors import KINDS, KeypointErrors
from .matching import Match
from .people import ImagePeople

#: Kinds of cases, in the order of the report.
CASE_KINDS = (*KINDS, 'false people', 'missed people', 'doubles')


class Case(NamedTuple):
    """A person that went wrong.

    Attributes:
        kind (str): Of :data:`CASE_KINDS`.
        image (int): Place of its image.
        found (int | None): The found person; None for one that is missed.
        truth (int | None): The true one; None for one that is false.
        keypoints (tuple[int, ...]): Those that have the error.
        weight (float): What they are sorted by.
    """

    kind: str
    image: int
    found: int | None
    truth: int | None
    keypoints: tuple[int, ...]
    weight: float


def find_worst(
    images: Sequence[ImagePeople],
    matches: Sequence[Match],
    errors: Sequence[KeypointErrors],
    number: int,
) -> list[Case]:
    """Choose the worst people of each kind, one of an image.

    Errors of keypoints are sorted by the OKS that they cost, false people and doubles
    by their scores, missed people by their areas.

    Args:
        images (Sequence[ImagePeople]): By rising image id.
        matches (Sequence[Match]): Of each image.
        errors (Sequence[KeypointErrors]): Of each image.
        number (int): Most of each kind.

    Returns:
        list[Case]: In the order of :data:`CASE_KINDS`, the worst first.
    """
    every = {kind: [] for kind in CASE_KINDS}
    for place, (image, match, error) in enumerate(zip(images, matches, errors)):
        for kind, mask in (
            ('false people', match.is_false),
            ('doubles', match.is_double),
        ):
            for found in np.flatnonzero(mask):
                weight = float(image.scores[found])
                every[kind].append(Case(kind, place, int(found), None, (), weight))
        for truth in np.flatnonzero(match.is_missed):
            case = Case(
                'missed people', place, None, int(truth), (), image.areas[truth]
            )
            every['missed people'].append(case)
        labels = np.maximum((error.kinds >= 0).sum(1, keepdims=True), 1)
        lost = (1 - error.own) / labels
        for code, kind in enumerate(KINDS, 1):
            wrong = error.kinds == code
            for row in np.flatnonzero(wrong.any(1)):
                keypoints = tuple(np.flatnonzero(wrong[row]).tolist())
                every[kind].append(
                    Case(
                        kind,
                        place,
                        int(error.found[row]),
                        int(error.truth[row]),
                        keypoints,
                        float(lost[row, wrong[row]].sum()),
                    )
                )
    return [
        case
        for kind in CASE_KINDS
        for case in _one_of_an_image(every[kind], images)[:number]
    ]


def _one_of_an_image(cases: list[Case], images: Sequence[ImagePeople]) -> list[Case]:
    chosen, seen = [], set()
    for case in sorted(cases, key=lambda case: (-case.weight, case.image)):
        image_id = images[case.image].image_id
        if image_id not in seen:
            seen.add(image_id)
            chosen.append(case)
    return chosen
