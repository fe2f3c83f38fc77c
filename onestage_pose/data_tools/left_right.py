# Copyright (c) onestage_pose contributors.
"""Find left-right pairs of keypoints that look exchanged.

What tells is how a pair lies to other keypoints:

- *parallel*: two pairs whose vectors from right to left point the same way or opposite
  ways (eyes and ears, shoulders and hips);
- *side*: a pair and a keypoint without a side that is seen with it, which lies on the
  one or on the other side of the vector from right to left (eyes and nose).

Both are the same however the object is turned in the image. A relation counts where
nearly all instances of the data set agree on it: shoulders and elbows do, wrists and
ankles do not, for people cross their arms and legs, nor do shoulders and the nose, for
people are seen from behind. Of a body's eyes, ears, shoulders and hips, which cannot be
crossed, and of the nose between the eyes, it is known without counting. A pair is
suspicious in an instance where more of its relations of either kind are contradicted
than kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..structures.skeleton_schema import split_words

#: Instances that must have a relation for it to count.
MIN_INSTANCES = 10
#: Most instances that may contradict it, as a share, and in any case; and as a share
#: where it is known from a body.
MAX_SHARE, MAX_IN_ANY_CASE, MAX_KNOWN = 0.01, 1, 0.1
# Pairs of a body that point the same way, whatever it does, from wherever it is seen.
_RIGID = ({'eye'}, {'ear'}, {'shoulder'}, {'hip'})
_FACE, _NOSE = {'eye'}, {'nose'}
# A pair is measured where its distance is over this share of the square root of the
# area of the box, and two vectors where the cosine of their angle is over the other.
_MIN_LENGTH, _MIN_COSINE = 0.08, 0.7


class Suspicion(NamedTuple):
    """A pair of an instance that looks exchanged.

    Attributes:
        instance (int): Its place.
        pair (tuple[int, int]): The keypoints, left and right.
        against (int): Relations of the pair that contradict the data set.
        of (int): Relations of the pair that could be measured.
    """

    instance: int
    pair: tuple[int, int]
    against: int
    of: int


class LeftRight(NamedTuple):
    """What :func:`find_swaps` has found.

    Attributes:
        suspicions (list[Suspicion]): In the order of the instances.
        num_relations (int): Relations that counted.
        is_reversed (bool): Left and right are those of the image and not of the person:
            nearly all faces are mirrored.
    """

    suspicions: list[Suspicion]
    num_relations: int
    is_reversed: bool


def find_swaps(
    keypoints: np.ndarray,
    boxes: np.ndarray,
    names: Sequence[str],
    sides: Mapping[str, str],
) -> LeftRight:
    """Find the pairs that look exchanged.

    Args:
        keypoints (np.ndarray): (A, K, 3) x, y in pixels, COCO's visibility.
        boxes (np.ndarray): (A, 4) x1, y1, x2, y2 in pixels.
        names (Sequence[str]): Of the K keypoints.
        sides (Mapping[str, str]): The right one by the left one, as
            :func:`.sides.pair_sides` finds them.

    Returns:
        LeftRight: Suspicions, and how many relations they rest on.
    """
    pairs = [(names.index(left), names.index(right)) for left, right in sides.items()]
    # by kind of relation: where a whole instance is exchanged, its pairs are parallel
    # as ever, and what is beside them tells
    shape = 2, len(keypoints), len(pairs)
    against, measured = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    num_relations, is_reversed = 0, False
    for indices, beside, signs in _relations(keypoints, boxes, pairs):
        expected = _known(indices, beside, pairs, names)
        if expected and beside is not None and _is_mostly(signs, -expected):
            is_reversed = True
            continue
        expected = _judge(signs, expected)
        if not expected:
            continue
        num_relations += 1
        kind = int(beside is not None)
        for index in indices:
            measured[kind, :, index] += signs != 0
            against[kind, :, index] += signs == -expected
    is_suspicious = (2 * against > measured).any(axis=0)
    against, measured = against.sum(axis=0), measured.sum(axis=0)
    suspicions = [
        Suspicion(int(i), pairs[p], int(against[i, p]), int(measured[i, p]))
        for i, p in np.argwhere(is_suspicious)
    ]
    return LeftRight(suspicions, num_relations, is_reversed)


def _known(
    indices: Sequence[int],
    beside: int | None,
    pairs: Sequence[tuple[int, int]],
    names: Sequence[str],
) -> int:
    """Return the sign that a relation has on any body; 0 where it is not known."""
    parts = [set(split_words(names[pairs[index][0]])) - {'left'} for index in indices]
    if beside is None:
        return int(all(part in _RIGID for part in parts))
    # the nose is below the eyes, whose left one is on the right in the image
    return int(parts == [_FACE] and set(split_words(names[beside])) == _NOSE)


def _relations(
    keypoints: np.ndarray, boxes: np.ndarray, pairs: Sequence[tuple[int, int]]
) -> Iterator[tuple[tuple[int, ...], int | None, np.ndarray]]:
    """Yield the pairs of each relation, the keypoint beside, and the signs (A,).

    A sign is -1 or 1, or 0 where it cannot be measured.
    """
    places, flags = keypoints[..., :2].astype(np.float64), keypoints[..., 2]
    scale = np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))
    vectors, lengths, is_measured, are_seen = [], [], [], []
    for left, right in pairs:
        vector = places[:, left] - places[:, right]
        length = np.linalg.norm(vector, axis=1)
        are_labelled = (flags[:, left] > 0) & (flags[:, right] > 0)
        vectors.append(vector)
        lengths.append(length)
        is_measured.append(are_labelled & (length > _MIN_LENGTH * scale))
        are_seen.append((flags[:, left] == 2) & (flags[:, right] == 2))
    for one, other in combinations(range(len(pairs)), 2):
        dot = (vectors[one] * vectors[other]).sum(axis=1)
        is_clear = np.abs(dot) > _MIN_COSINE * lengths[one] * lengths[other]
        signs = np.sign(dot) * (is_measured[one] & is_measured[other] & is_clear)
        yield (one, other), None, signs.astype(np.int8)
    paired = {index for pair in pairs for index in pair}
    middles = set(range(keypoints.shape[1])) - paired
    for index, (left, right) in enumerate(pairs):
        x, y = vectors[index].T
        for beside in sorted(middles):
            arm = places[:, beside] - (places[:, left] + places[:, right]) / 2
            length = np.linalg.norm(arm, axis=1)
            cross = x * arm[:, 1] - y * arm[:, 0]
            is_clear = np.abs(cross) > _MIN_COSINE * lengths[index] * length
            is_far = length > _MIN_LENGTH / 2 * scale
            is_seen = are_seen[index] & (flags[:, beside] == 2)
            signs = np.sign(cross) * (is_measured[index] & is_seen & is_clear & is_far)
            yield (index,), beside, signs.astype(np.int8)


def _is_mostly(signs: np.ndarray, sign: int) -> bool:
    number, agreeing = np.count_nonzero(signs), np.count_nonzero(signs == sign)
    return number >= MIN_INSTANCES and agreeing > (1 - MAX_KNOWN) * number


def _judge(signs: np.ndarray, known: int) -> int:
    """Return the sign that an instance is expected to have; 0 where nobody can say."""
    positive, negative = np.count_nonzero(signs > 0), np.count_nonzero(signs < 0)
    number = positive + negative
    if known:
        wrong = np.count_nonzero(signs == -known)
        return known if wrong <= max(MAX_IN_ANY_CASE, MAX_KNOWN * number) else 0
    most = max(MAX_IN_ANY_CASE, MAX_SHARE * number)
    if number < MIN_INSTANCES or min(positive, negative) > most:
        return 0
    return 1 if positive >= negative else -1
