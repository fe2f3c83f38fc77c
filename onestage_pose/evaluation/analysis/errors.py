# Copyright (c) onestage_pose contributors.
"""What is wrong with a keypoint: the kinds of Ronchi and Perona.

*Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation*, ICCV 2017
(arXiv 1707.05388). A found person is matched with a true one at an OKS of 0.1 or more.
A found keypoint i is then compared, by COCO's similarity ``ks`` (``similarity.py``),
with several true places: keypoint i of its person, the keypoint of the other side of
its person, and the same two of every other person of the image, as far as they are
labelled. Let m be the largest of these values, and where it is found the nearest place.

============  ====================================================================
good          m >= 0.85, nearest is its own place
jitter        0.5 <= m < 0.85, nearest is its own place
inversion     m >= 0.5, nearest is the other side of the same person
swap          m >= 0.5, nearest is another person's
miss          m < 0.5
============  ====================================================================

A keypoint that is not labelled has no error. ``ks`` of another person's place takes
that person's area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from .matching import Match
from .people import ImagePeople
from .similarity import distance_of_similarity, keypoint_similarity

#: Least similarity to be near a place, and to be good.
NEAR, GOOD = 0.5, 0.85
#: Kinds of errors; their numbers in :class:`KeypointErrors` are 1, 2, 3 and 4.
KINDS = ('jitter', 'inversion', 'swap', 'miss')
_UNLABELLED, _FINE, _JITTER, _INVERSION, _SWAP, _MISS = -1, 0, 1, 2, 3, 4


class KeypointErrors(NamedTuple):
    """The keypoints of the M found people of an image who have a true partner.

    Attributes:
        found (np.ndarray): (M,) int64, which found people.
        truth (np.ndarray): (M,) int64, their true partners.
        kinds (np.ndarray): (M, K) int64: -1 not labelled, 0 good, else the place in
            :data:`KINDS`, from 1 on.
        own (np.ndarray): (M, K) float64, similarity to the own place.
        nearest (np.ndarray): (M, K) float64, to the nearest place.
        other (np.ndarray): (M, K) int64, the true person of the nearest place.
    """

    found: np.ndarray
    truth: np.ndarray
    kinds: np.ndarray
    own: np.ndarray
    nearest: np.ndarray
    other: np.ndarray


def find_errors(
    people: ImagePeople, match: Match, sigmas: np.ndarray, flip: Sequence[int]
) -> KeypointErrors:
    """Name the error of every keypoint.

    Args:
        people (ImagePeople): D found, G true people.
        match (Match): Of these.
        sigmas (np.ndarray): (K,).
        flip (Sequence[int]): (K,) the keypoint of the other side, itself for none.

    Returns:
        KeypointErrors: Of those who are matched.
    """
    found = np.flatnonzero(match.truth_of >= 0)
    truth = match.truth_of[found]
    flip = np.asarray(flip)
    points = people.keypoints[found]
    straight = keypoint_similarity(points, people.truth, people.areas, sigmas)
    straight = np.where(people.labelled, straight, -1.0)
    mirrored = keypoint_similarity(points, people.truth[:, flip], people.areas, sigmas)
    mirrored = np.where(people.labelled[:, flip], mirrored, -1.0)
    # A keypoint in the middle has no other side.
    mirrored[..., flip == np.arange(len(flip))] = -1.0
    rows = np.arange(len(found))
    own, inverted = straight[rows, truth], mirrored[rows, truth]
    others = np.maximum(straight, mirrored)
    others[rows, truth] = -1.0
    # Where there are no people there are no rows either.
    other = others.argmax(1) if others.shape[1] else np.zeros(own.shape, int)
    swapped = np.take_along_axis(others, other[:, None], 1)[:, 0] if len(own) else own
    # Of equals the first counts, as in the authors' program.
    places = np.stack([own, inverted, swapped])
    place, nearest = places.argmax(0), places.max(0)
    kinds = np.select(
        [
            own < 0,
            nearest < NEAR,
            place == 1,
            place == 2,
            nearest < GOOD,
        ],
        [_UNLABELLED, _MISS, _INVERSION, _SWAP, _JITTER],
        _FINE,
    )
    return KeypointErrors(
        found, truth, kinds, own, nearest, np.where(place == 2, other, truth[:, None])
    )


def correct(
    people: ImagePeople,
    errors: KeypointErrors,
    sigmas: np.ndarray,
    kinds: Sequence[str] = KINDS,
    how: Literal['truth', 'paper'] = 'truth',
) -> ImagePeople:
    """Return the image without errors of some kinds.

    Args:
        people (ImagePeople): With the errors.
        errors (KeypointErrors): Of these people.
        sigmas (np.ndarray): (K,).
        kinds (Sequence[str]): Of :data:`KINDS`.
        how (str): ``'truth'`` puts the keypoint where it belongs. ``'paper'`` puts it
            beside that: to a ``ks`` of 0.85 for jitter, of 0.5 for a miss, and for an
            inversion or a swap to the ``ks`` that it has with the wrong place.

    Returns:
        ImagePeople: With other ``keypoints``.
    """
    keypoints = people.keypoints.copy()
    wanted = np.isin(errors.kinds, [KINDS.index(kind) + 1 for kind in kinds])
    goal = np.select(
        [errors.kinds == _JITTER, errors.kinds == _MISS], [GOOD, NEAR], errors.nearest
    )
    for row, (found, truth) in enumerate(zip(errors.found, errors.truth)):
        here = wanted[row]
        right = people.truth[truth]
        if how == 'paper':
            similarity = np.clip(goal[row], np.spacing(1), 1)
            aside = distance_of_similarity(similarity, people.areas[truth], sigmas)
            right = right + np.stack([aside, np.zeros_like(aside)], axis=1)
        keypoints[found, here] = right[here]
    return replace(people, keypoints=keypoints)
