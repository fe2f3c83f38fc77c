# Copyright (c) onestage_pose contributors.
"""Which found person is which true one: COCO's rule."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .people import ImagePeople
from .similarity import object_similarity

#: OKS from which on errors of keypoints are looked for; below it the found person is
#: not that person at all. Ronchi and Perona's.
LOCALIZATION_OKS = 0.1


def match_greedily(
    similarity: np.ndarray,
    ignored: np.ndarray,
    crowd: np.ndarray,
    thresholds: np.ndarray,
) -> np.ndarray:
    """Give each found person, by falling score, the most similar true one left.

    As COCO's program does: one that is to be ignored is taken only where no other is
    similar enough, and a crowd region may be taken several times.

    Args:
        similarity (np.ndarray): (D, G) OKS, found people by falling score.
        ignored (np.ndarray): (G,) bool.
        crowd (np.ndarray): (G,) bool, of the ignored ones.
        thresholds (np.ndarray): (T,) least OKS.

    Returns:
        np.ndarray: (T, D) int64, index of the true person, -1 for nobody.
    """
    number, truths = similarity.shape
    chosen = np.full((len(thresholds), number), -1)
    if not similarity.size:
        return chosen
    thresholds = np.minimum(thresholds, 1 - 1e-10)
    free = np.ones((len(thresholds), truths), bool)
    rows = np.arange(len(thresholds))
    for person in np.flatnonzero(similarity.max(1) >= thresholds.min()):
        row = similarity[person]
        possible = (free | crowd) & (row >= thresholds[:, None])
        wanted = possible & ~ignored
        has_wanted = wanted.any(1)
        possible = np.where(has_wanted[:, None], wanted, possible)
        # the last of equals, as in COCO's loop
        ranked = np.where(possible, row, -1)[:, ::-1]
        best = truths - 1 - ranked.argmax(1)
        taken = possible.any(1)
        chosen[taken, person] = best[taken]
        free[rows[taken], best[taken]] = False
    return chosen


class Match(NamedTuple):
    """What became of the people of an image.

    Attributes:
        truth_of (np.ndarray): (D,) int64, the true person of each found one, -1 for
            nobody; never one that is ignored.
        oks (np.ndarray): (D,) float64 with that person, 0 for nobody.
        is_ignored (np.ndarray): (D,) bool, found where COCO ignores.
        is_double (np.ndarray): (D,) bool: like a true person (OKS of 0.1 or more)
            whom one of a higher score, or a more similar one, has got.
        is_false (np.ndarray): (D,) bool: like nobody.
        is_missed (np.ndarray): (G,) bool: nobody is like this true person.
    """

    truth_of: np.ndarray
    oks: np.ndarray
    is_ignored: np.ndarray
    is_double: np.ndarray
    is_false: np.ndarray
    is_missed: np.ndarray


def match_people(
    people: ImagePeople, sigmas: np.ndarray, threshold: float = LOCALIZATION_OKS
) -> Match:
    """Match the people of an image, and name those who have no partner.

    Args:
        people (ImagePeople): D found, G true people.
        sigmas (np.ndarray): (K,).
        threshold (float): Least OKS of a pair.

    Returns:
        Match: Every found person is matched, ignored, a double or false.
    """
    similarity = object_similarity(people, sigmas)
    ignored = people.ignored
    chosen = match_greedily(similarity, ignored, people.crowd, np.array([threshold]))[0]
    places = np.arange(len(chosen))
    nobody = chosen < 0
    if len(ignored):
        is_ignored = ~nobody & ignored[chosen]
        oks = np.where(nobody | is_ignored, 0.0, similarity[places, chosen])
        is_double = nobody & (similarity[:, ~ignored] >= threshold).any(1)
    else:
        is_ignored = is_double = np.zeros(len(chosen), bool)
        oks = np.zeros(len(chosen))
    truth_of = np.where(is_ignored, -1, chosen)
    is_missed = ~ignored
    is_missed[truth_of[truth_of >= 0]] = False
    return Match(truth_of, oks, is_ignored, is_double, nobody & ~is_double, is_missed)
