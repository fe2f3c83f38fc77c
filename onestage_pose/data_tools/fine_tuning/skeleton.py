# Copyright (c) onestage_pose contributors.
"""Make metainfo, as mmpose's data sets have it, of the category of a COCO file."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from ...structures.coco_records import quote
from ...structures.metainfo import check_skeletons, resolve_metainfo
from ...structures.skeleton_schema import check_metainfo
from ...utils.errors import UsageError
from ...visualization.palette import PERSON_COLORS
from ..sigmas import DEFAULT_SIGMA

# COCO's 17 keypoints and those of feet, faces and hands
_KNOWN = 'configs/_base_/datasets/coco_wholebody.py'
_COCO = 'configs/_base_/datasets/coco.py'


def get_keypoint_names(
    category: Mapping[str, Any], num_keypoints: int, given: Sequence[str] | None = None
) -> list[str]:
    """Return the names of a category's keypoints.

    Args:
        category (Mapping): Of the file.
        num_keypoints (int): K, as the annotations have.
        given (Sequence[str] | None): What the user says they are.

    Returns:
        list[str]: K names. People with 17 keypoints and no names have COCO's.

    Raises:
        UsageError: There are none, not K, or one comes twice.
    """
    names = list(given or category.get('keypoints') or ())
    is_person = str(category.get('name')).casefold() == 'person'
    if not names and is_person and num_keypoints == 17:
        names = [each['name'] for each in _read_keypoints(_COCO).values()]
    if not names:
        raise UsageError(
            f'the category {quote(category.get("name"))} does not name its '
            f'{num_keypoints} keypoints: give --keypoints NAME,NAME,... in their order.'
        )
    if len(names) != num_keypoints:
        raise UsageError(
            f'the category {quote(category.get("name"))} has {len(names)} names '
            f'({", ".join(names[:4])}, ...) and the annotations {num_keypoints} '
            'keypoints: correct "keypoints" in "categories", or give --keypoints.'
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f'the keypoint {twice[0]!r} comes more than once: give every keypoint a '
            'name of its own, by "keypoints" in "categories" or --keypoints.'
        )
    return names


def read_skeleton(
    skeleton: Any, names: Sequence[str]
) -> tuple[list[tuple[str, str]], str]:
    """Read the lines of a category's ``skeleton``.

    Args:
        skeleton (Any): COCO's: pairs of numbers from 1 on; some programs count from 0.
        names (Sequence[str]): Of the K keypoints.

    Returns:
        tuple[list[tuple[str, str]], str]: Pairs of names, and a remark; empty where all
        was read.
    """
    if not skeleton:
        return [], ''
    try:
        lines = [(int(a), int(b)) for a, b in skeleton]
    except (TypeError, ValueError):
        return [], f'"skeleton" is {quote(skeleton)} and not pairs of numbers; left out'
    numbers = [number for line in lines for number in line]
    first = 0 if min(numbers) == 0 else 1
    if min(numbers) < 0 or max(numbers) > len(names) - 1 + first:
        return [], (
            f'"skeleton" has the number {max(numbers)}, and there are {len(names)} '
            'keypoints; left out'
        )
    return [(names[a - first], names[b - first]) for a, b in lines if a != b], ''


def make_metainfo(
    dataset_name: str,
    names: Sequence[str],
    skeleton: Sequence[tuple[str, str]] = (),
    pairs: Mapping[str, str] | None = None,
    sigma: float = DEFAULT_SIGMA,
) -> dict[str, Any]:
    """Make metainfo.

    Args:
        dataset_name (str): What the data set is called.
        names (Sequence[str]): Of the K keypoints.
        skeleton (Sequence[tuple[str, str]]): Lines, as pairs of names.
        pairs (Mapping[str, str] | None): As :func:`..sides.pair_sides` finds them.
        sigma (float): Of OKS, for the keypoints that are not COCO's by name.

    Returns:
        dict: As mmpose's data sets take it. Sigmas are COCO-WholeBody's by name, whose
        first 17 are COCO's.
    """
    swaps = dict(pairs or {})
    swaps.update({right: left for left, right in swaps.items()})
    known = _read_sigmas()
    metainfo = dict(
        dataset_name=dataset_name,
        keypoint_info={
            number: dict(
                name=name,
                id=number,
                color=list(PERSON_COLORS[number % len(PERSON_COLORS)]),
                type='',
                swap=swaps.get(name, ''),
            )
            for number, name in enumerate(names)
        },
        skeleton_info={
            number: dict(link=link, id=number, color=[51, 153, 255])
            for number, link in enumerate(skeleton)
        },
        joint_weights=[1.0] * len(names),
        sigmas=[known.get(name, sigma) for name in names],
    )
    check_metainfo(metainfo, 'the keypoints')
    return metainfo


def join_metainfo(
    dataset_name: str, skeletons: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> dict[str, Any]:
    """Make metainfo of several categories.

    Args:
        dataset_name (str): What the data set is called.
        skeletons (Sequence[tuple[Mapping, Mapping]]): Categories of a file, each with
            its own metainfo, as :func:`make_metainfo` makes it.

    Returns:
        dict: As docs/how_to/several_categories.md describes it, with the ids of the
        file.
    """
    entries = []
    for category, own in skeletons:
        info = {key: value for key, value in own.items() if key != 'dataset_name'}
        entries.append(dict(name=category.get('name'), id=category['id'], **info))
    metainfo = dict(dataset_name=dataset_name, categories=entries)
    check_skeletons(metainfo, 'the categories')
    return metainfo


def find_unknown_sigmas(names: Sequence[str]) -> list[str]:
    """Return the names of keypoints that get the default sigma."""
    known = _read_sigmas()
    return [name for name in names if name not in known]


def find_prior_channels(names: Sequence[str]) -> list[int | None]:
    """Return for each keypoint its place among COCO's 17; None where it is none."""
    coco = [each['name'] for each in _read_keypoints(_COCO).values()]
    return [coco.index(name) if name in coco else None for name in names]


@functools.cache
def _read_info(file: str) -> Any:
    path = resolve_metainfo(dict(from_file=file))['from_file']
    return Config.fromfile(path).dataset_info


def _read_keypoints(file: str) -> dict[int, dict]:
    return _read_info(file)['keypoint_info']


def _read_sigmas() -> dict[str, float]:
    info = _read_info(_KNOWN)
    names = [each['name'] for each in info['keypoint_info'].values()]
    return dict(zip(names, map(float, info['sigmas'])))
