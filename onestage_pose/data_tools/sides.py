# Copyright (c) onestage_pose contributors.
"""Pair left and right keypoints: by the file's ``flip_idx``, by name, by the user."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from ..structures.coco_records import quote
from ..utils.errors import AnnotationError, UsageError
from ..utils.suggestions import did_you_mean

#: Words for left and right in the names of keypoints.
SIDES = (
    ('left', 'right'),
    ('l', 'r'),
    ('links', 'rechts'),
    ('linke', 'rechte'),
    ('linker', 'rechter'),
    ('linkes', 'rechtes'),
)


def pair_sides(
    names: Sequence[str],
    sides: Sequence[tuple[str, str]] = (),
    swaps: Sequence[tuple[str, str]] = (),
    flip_idx: Any = None,
    source: str = 'the category',
) -> dict[str, str]:
    """Find the keypoints that change places in a mirrored image.

    A pair of the user comes first, then those of ``flip_idx``, then those by name.

    Args:
        names (Sequence[str]): Of the K keypoints.
        sides (Sequence[tuple[str, str]]): Words for left and right, beside
            :data:`SIDES`.
        swaps (Sequence[tuple[str, str]]): Pairs that the user names.
        flip_idx (Any): The category's, as it stands in the file; None where it has
            none. It pairs all keypoints, and is compared with the names.
        source (str): Where the category stands, for messages.

    Returns:
        dict[str, str]: The right keypoint by the left one, in the order of ``names``;
        empty where there are none.

    Raises:
        UsageError: A pair of the user names what is no keypoint, or a keypoint is in
            two.
        AnnotationError: ``flip_idx`` is none, or contradicts the names.
    """
    pairs = {}
    for left, right in swaps:
        for name in (left, right):
            if name not in names:
                raise UsageError(
                    f'--swap {left}:{right}: {name!r} is not a keypoint.'
                    f'{did_you_mean(name, names)}'
                )
        pairs[left] = right
    named = [name for pair in pairs.items() for name in pair]
    if len(set(named)) < len(named):
        raise UsageError('--swap: a keypoint is in two pairs.')
    free = [name for name in names if name not in named]
    by_name = _pair_by_name(free, sides)
    if flip_idx is None:
        pairs.update(by_name)
    else:
        pairs.update(_pair_by_index(names, free, flip_idx, by_name, source))
    return dict(sorted(pairs.items(), key=lambda pair: names.index(pair[0])))


def find_sides_without_partner(
    names: Sequence[str], pairs: Mapping[str, str]
) -> list[str]:
    """Return the keypoints whose names tell a side, and whose partner is missing.

    Args:
        names (Sequence[str]): Of the K keypoints.
        pairs (Mapping[str, str]): As :func:`pair_sides` finds them.
    """
    paired = {*pairs, *pairs.values()}
    sides = {word for pair in SIDES for word in pair if len(word) > 1}
    return [name for name in names if name not in paired and sides & set(_words(name))]


def describe_pairs(pairs: Mapping[str, str], number: int = 10) -> str:
    """Return the first pairs as text: ``left_eye - right_eye, ...``."""
    paired = [f'{left} - {right}' for left, right in pairs.items()]
    return ', '.join(paired[:number] + ['...'] * (len(paired) > number)) or 'no pairs'


def is_flip_idx(value: Any, number: int) -> bool:
    """Return whether a value is ``flip_idx``: K places, exchanged two by two."""
    return (
        isinstance(value, list)
        and all(type(place) is int for place in value)
        and sorted(value) == list(range(number))
        and all(value[value[place]] == place for place in value)
    )


def _pair_by_index(
    names: Sequence[str],
    free: Sequence[str],
    flip_idx: Any,
    by_name: Mapping[str, str],
    source: str,
) -> dict[str, str]:
    if not is_flip_idx(flip_idx, len(names)):
        raise AnnotationError(
            f'{source}: flip_idx={quote(flip_idx)}; write for each of the {len(names)} '
            'keypoints the number, from 0 on, of the one that it changes places with '
            'in a mirrored image (its own for none).'
        )
    other = {name: names[place] for name, place in zip(names, flip_idx)}
    for left, right in by_name.items():
        if other[left] != right:
            with_ = repr(other[left]) if other[left] != left else 'nothing'
            raise AnnotationError(
                f'{source}: flip_idx exchanges {left!r} with {with_}, and by the names '
                f'its other side is {right!r}: correct "flip_idx" or "keypoints", or '
                'remove "flip_idx" so that the names decide.'
            )
    pairs = dict(by_name)
    for name in free:
        partner = other[name]
        is_new = partner in free and partner != name
        if is_new and not {name, partner} & {*pairs, *pairs.values()}:
            pairs[name] = partner
    return pairs


def _pair_by_name(
    free: Sequence[str], sides: Sequence[tuple[str, str]]
) -> dict[str, str]:
    known = [(left.lower(), right.lower()) for left, right in (*sides, *SIDES)]
    pairs, taken = {}, set()
    for read, mirror in _rules(known):
        by_key = {read(name): name for name in reversed(free)}
        for name in free:
            key = mirror(name)
            other = by_key.get(key) if key != read(name) else None
            if other is not None and not {name, other} & taken:
                pairs[name] = other
                taken |= {name, other}
    return pairs


def _rules(
    sides: Sequence[tuple[str, str]],
) -> Iterator[tuple[Callable[[str], Hashable], Callable[[str], Hashable]]]:
    """Yield what reads a name, and what a left one's partner reads as; surest first."""
    lefts = {left: right for left, right in reversed(sides)}
    opposite = {right: left for left, right in reversed(sides)} | lefts

    def mirror_all(name: str) -> tuple[str, ...]:
        words = _words(name)
        side = next((word for word in words if word in opposite), None)
        if side not in lefts:
            return words
        return tuple(opposite.get(word, word) for word in words)

    # left_eye_right_corner and right_eye_left_corner
    yield _words, mirror_all
    for left, right in sides:

        def mirror(name: str, left: str = left, right: str = right) -> tuple[str, ...]:
            return tuple(right if word == left else word for word in _words(name))

        # left_lid_l and right_lid_l, of which l is the lower one
        yield _words, mirror
    is_left = {word: word in lefts for word in opposite}

    def read_anywhere(name: str) -> tuple[tuple[str, ...], tuple[bool, ...]]:
        words = _words(name)
        return (
            tuple(sorted(word for word in words if word not in is_left)),
            tuple(is_left[word] for word in words if word in is_left),
        )

    def mirror_anywhere(name: str) -> tuple[tuple[str, ...], tuple[bool, ...]]:
        rest, lefts_of = read_anywhere(name)
        return rest, (False,) if lefts_of == (True,) else lefts_of

    # left_eye and eye_r
    yield read_anywhere, mirror_anywhere
    for left, right in sides:
        # lefteye
        if len(left) > 2:
            yield str.lower, lambda name, a=left, b=right: name.lower().replace(a, b)


@functools.lru_cache(maxsize=1024)
def _words(name: str) -> tuple[str, ...]:
    """Return the words and numbers of a name: ``l eye`` of ``LEye`` and ``l_eye``."""
    apart = re.sub(r'(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', ' ', name)
    return tuple(word.lower() for word in re.findall(r'[^\W\d_]+|\d+', apart))
