# Copyright (c) onestage_pose contributors.
"""The schema of metainfo: the keypoints of a data set, and what their file may hold.

docs/reference/input_formats.md shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..utils.errors import ConfigValueError
from ..utils.suggestions import did_you_mean

#: Keys that metainfo must have.
REQUIRED = (
    'dataset_name',
    'keypoint_info',
    'skeleton_info',
    'joint_weights',
    'sigmas',
)
_SIDES = {'l': 'left', 'r': 'right'}
# What annotation programs put before the number of a keypoint without a name.
_NO_NAMES = {'keypoint', 'kp', 'kpt', 'point', 'pt', 'new', 'joint', 'landmark'}


def check_metainfo(info: Any, source: str) -> None:
    """Refuse metainfo that mmpose would misread or stumble over later.

    Args:
        info (Any): The ``dataset_info`` of a metainfo file, or metainfo as a dict.
        source (str): Where it comes from, for the messages.

    Raises:
        ConfigValueError: Naming the key, and what is expected there.
    """
    if not isinstance(info, Mapping):
        raise ConfigValueError(
            f'{source}: holds a {type(info).__name__}; metainfo is a dict with the '
            f'keys {", ".join(REQUIRED)}.'
        )
    for key in REQUIRED:
        if key not in info:
            raise ConfigValueError(
                f'{source}: has no `{key}`; metainfo needs {", ".join(REQUIRED)}.'
                f'{did_you_mean(key, set(info) - set(REQUIRED))}'
            )
    names = _check_keypoints(info['keypoint_info'], source)
    _check_swaps(info['keypoint_info'], names, source)
    _check_skeleton(info['skeleton_info'], names, source)
    _check_numbers(info, 'joint_weights', len(names), source)
    # Data sets that are not measured by OKS have none.
    if len(_as_list(info['sigmas'])) or not isinstance(info['sigmas'], (list, tuple)):
        _check_numbers(info, 'sigmas', len(names), source, above=0)


def get_names(keypoint_info: Mapping) -> list[str]:
    """Return the K names of ``keypoint_info``, in its order."""
    return [entry['name'] for entry in keypoint_info.values()]


def compare_names(found: Sequence[str], expected: Sequence[str]) -> tuple[bool, str]:
    """Compare the keypoints that an annotation file names with those of the metainfo.

    Case, separators and ``l`` for ``left`` make no difference, nor does a word that one
    of the two leaves out (``head`` and ``top_head``), but for the side.

    Args:
        found (Sequence[str]): The names in the file.
        expected (Sequence[str]): Those of the metainfo.

    Returns:
        tuple[bool, str]: Whether they may be the same keypoints in the same order; and
        what to say of it: the difference, or a remark, empty where all are equal.
    """
    if len(found) != len(expected):
        return False, f'{len(found)} keypoints instead of {len(expected)}'
    if _are_numbers(found) and not _are_numbers(expected):
        return True, 'its keypoints have numbers for names and are taken in order'
    words = [split_words(name) for name in found]
    wanted = [split_words(name) for name in expected]
    different = [i for i, pair in enumerate(zip(words, wanted)) if not _same(*pair)]
    if not different:
        return True, ''
    if sorted(map(_joined, words)) == sorted(map(_joined, wanted)):
        return False, 'the same keypoints in another order'
    elsewhere = [_joined(one) for one in wanted]
    unlike = [
        i
        for i in different
        if not _alike(words[i], wanted[i]) or _joined(words[i]) in elsewhere
    ]
    if unlike:
        place = unlike[0]
        return False, (
            f'other keypoints, first {found[place]!r} instead of {expected[place]!r}'
        )
    pairs = ', '.join(f'{found[i]!r} as {expected[i]!r}' for i in different)
    return True, f'it names keypoints otherwise: {pairs}'


def check_sigmas(metainfo: Mapping, who: str) -> None:
    """Refuse to measure OKS without a sigma of each keypoint.

    Args:
        metainfo (Mapping): As mmpose has parsed it.
        who (str): What needs them, for the message.

    Raises:
        ConfigValueError: There are none, or not as many as keypoints.
    """
    given, needed = len(metainfo['sigmas']), metainfo['num_keypoints']
    if given != needed:
        raise ConfigValueError(
            f'{who} needs a sigma of each of the {needed} keypoints of the metainfo '
            f'"{metainfo.get("dataset_name")}", which has {given} `sigmas`: write them '
            'there.'
        )


def _check_keypoints(keypoint_info: Any, source: str) -> list[str]:
    where = f'{source}: keypoint_info'
    if not isinstance(keypoint_info, Mapping) or not keypoint_info:
        raise ConfigValueError(
            f'{where} is {keypoint_info!r}; give a dict with an entry for each '
            'keypoint, by its number from 0 on.'
        )
    keys = list(keypoint_info)
    if keys != list(range(len(keys))) or any(isinstance(key, bool) for key in keys):
        raise ConfigValueError(
            f'{where} has the numbers {_some(keys)}; count the keypoints from 0 on, in '
            'the order in which the annotations have them.'
        )
    names = []
    for number, entry in keypoint_info.items():
        name = entry.get('name') if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name:
            raise ConfigValueError(
                f'{where}[{number}] is {entry!r}; give a dict with a `name`.'
            )
        _check_color(entry, f'{where}[{number}]')
        if name in names:
            raise ConfigValueError(
                f'{where}[{number}] and [{names.index(name)}] are both named {name!r}; '
                'give every keypoint a name of its own.'
            )
        names.append(name)
    return names


def _check_swaps(keypoint_info: Mapping, names: Sequence[str], source: str) -> None:
    swaps = {}
    for number, entry in keypoint_info.items():
        other = entry.get('swap', '')
        if other == '':
            other = entry['name']
        if other not in names:
            raise ConfigValueError(
                f'{source}: keypoint_info[{number}] ({entry["name"]!r}) has '
                f'swap={other!r}, which is not a keypoint.'
                f'{did_you_mean(str(other), names)}'
            )
        swaps[entry['name']] = other
    for name, other in swaps.items():
        if swaps[other] != name:
            back = '' if swaps[other] == other else swaps[other]
            raise ConfigValueError(
                f'{source}: keypoint {name!r} has swap={other!r}, but {other!r} has '
                f'swap={back!r}; flipping exchanges two keypoints, so write each as '
                'the swap of the other.'
            )
    for name in names:
        other = _other_side(name)
        if other not in names or swaps[name] == other:
            continue
        what = f'keypoint {name!r} has swap={swaps[name]!r}'
        if swaps[name] == name:
            what = f'keypoints {name!r} and {other!r} have no swap'
        raise ConfigValueError(
            f'{source}: {what}, so a flipped image would show {name!r} as '
            f'{swaps[name]!r}; write {name!r} and {other!r} each as the swap of the '
            'other.'
        )


def _other_side(name: str) -> str | None:
    for one, other in (('left', 'right'), ('Left', 'Right'), ('LEFT', 'RIGHT')):
        if one in name:
            return name.replace(one, other)
    return None


def _check_skeleton(skeleton_info: Any, names: Sequence[str], source: str) -> None:
    if not isinstance(skeleton_info, Mapping):
        raise ConfigValueError(
            f'{source}: skeleton_info is {skeleton_info!r}; give a dict with an entry '
            'for each link, {} for none.'
        )
    for number, entry in skeleton_info.items():
        link = entry.get('link') if isinstance(entry, Mapping) else None
        if not isinstance(link, (list, tuple)) or len(link) != 2:
            raise ConfigValueError(
                f'{source}: skeleton_info[{number}] is {entry!r}; give a dict with '
                '`link`, the names of two keypoints.'
            )
        _check_color(entry, f'{source}: skeleton_info[{number}]')
        for name in link:
            if name not in names:
                raise ConfigValueError(
                    f'{source}: skeleton_info[{number}] links {name!r}, which is '
                    f'not a keypoint.{did_you_mean(str(name), names)}'
                )


def _check_color(entry: Mapping, where: str) -> None:
    color = entry.get('color', (0, 0, 0))
    parts = list(color) if isinstance(color, (list, tuple, np.ndarray)) else []
    fits = all(type(part) is int and 0 <= part <= 255 for part in parts)
    if len(parts) != 3 or not fits:
        raise ConfigValueError(
            f'{where} has color={color!r}; give three whole numbers from 0 to 255.'
        )


def _check_numbers(
    info: Mapping, key: str, number: int, source: str, above: float | None = None
) -> None:
    values = _as_list(info[key])
    least = 'numbers from 0 on' if above is None else f'numbers above {above}'
    if len(values) != number:
        raise ConfigValueError(
            f'{source}: `{key}` has {len(values)} values, keypoint_info has {number} '
            f'keypoints; give one for each: {least}.'
        )
    for place, value in enumerate(values):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if (
            not is_number
            or not np.isfinite(value)
            or value < 0
            or (above is not None and value <= above)
        ):
            raise ConfigValueError(
                f'{source}: `{key}`[{place}] is {value!r}; give {least}.'
            )


def _as_list(values: Any) -> list:
    if isinstance(values, np.ndarray):
        return values.tolist()
    return list(values) if isinstance(values, (list, tuple)) else []


def _some(values: Sequence) -> str:
    text = ', '.join(map(repr, values[:4]))
    return f'{text}, ...' if len(values) > 4 else text


def split_words(name: str) -> list[str]:
    """Return the words of a keypoint's name in lower case, ``l`` as ``left``."""
    parts = re.findall(r'[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+', name)
    words = [_SIDES.get(part.lower(), part.lower()) for part in parts]
    return words or [name.casefold()]


def _joined(words: Sequence[str]) -> str:
    return ''.join(sorted(words))


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    return sorted(one) == sorted(other) or ''.join(one) == ''.join(other)


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    sides = {'left', 'right'}
    shorter, longer = sorted((set(one), set(other)), key=len)
    return shorter <= longer and shorter & sides == longer & sides


def _are_numbers(names: Sequence[str]) -> bool:
    numbers = []
    for name in names:
        words = [word for word in split_words(name) if word not in _NO_NAMES]
        if len(words) != 1 or not words[0].isdecimal():
            return False
        numbers.append(int(words[0]))
    return numbers in ([*range(len(names))], [*range(1, len(names) + 1)])
