# Copyright (c) onestage_pose contributors.
"""Find the metainfo files of data sets, and read what they say."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mmpose
import numpy as np
from mmengine.config import Config

from ..utils.errors import ConfigValueError
from ..utils.suggestions import did_you_mean
from .categories import SEPARATOR
from .skeleton_schema import REQUIRED, check_metainfo

COCO_METAINFO = 'configs/_base_/datasets/coco.py'
_PACKAGED = Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets'


def resolve_metainfo(metainfo: dict) -> dict:
    """Return metainfo whose ``from_file`` is where that file is.

    mmpose finds its own files by their name too, but warns at every use that they are
    not under the working directory.

    Args:
        metainfo (dict): As mmpose's datasets take it; may have ``from_file``.

    Returns:
        dict: A copy; with an absolute ``from_file`` where that is no file of the
        working directory, but one of mmpose has its name.
    """
    metainfo = dict(metainfo)
    from_file = metainfo.get('from_file')
    if from_file is not None and not Path(from_file).is_file():
        packaged = _PACKAGED / Path(from_file).name
        if packaged.is_file():
            metainfo['from_file'] = str(packaged)
    return metainfo


def check_dataset_metainfo(metainfo: dict) -> None:
    """Check metainfo before mmpose parses it.

    Args:
        metainfo (dict): As mmpose's datasets take it: ``dict(from_file=...)``, or the
            metainfo itself. Empty means none.

    Raises:
        FileNotFoundError: ``from_file`` is not there, nor in MMPose.
        ConfigValueError: It breaks the schema of :func:`check_skeletons`.
    """
    if not isinstance(metainfo, dict):
        raise ConfigValueError(
            f'metainfo={metainfo!r} of the dataset: give a dict, such as '
            "dict(from_file='configs/_base_/datasets/coco.py')."
        )
    if not metainfo:
        return
    if 'from_file' not in metainfo:
        check_skeletons(metainfo, 'metainfo of the dataset')
        return
    check_skeletons(*_read_file(metainfo))


def _read_file(metainfo: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Return the ``dataset_info`` that ``from_file`` has, and where that is."""
    file = resolve_metainfo(metainfo)['from_file']
    if not Path(file).is_file():
        raise FileNotFoundError(
            f'{file}: this metainfo file does not exist; set metainfo=dict('
            'from_file=...) of the dataset to the file that describes its keypoints.'
        )
    content = Config.fromfile(file)
    if 'dataset_info' not in content:
        raise ConfigValueError(
            f'{file}: has no `dataset_info`; a metainfo file is Python that sets '
            'dataset_info = dict(...), as those of MMPose do.'
        )
    return content.dataset_info, file


def check_skeletons(info: Any, source: str) -> None:
    """Check metainfo of one skeleton, or of several categories.

    Args:
        info (Any): As :func:`check_metainfo` takes it; or a dict of ``dataset_name``
            and ``categories``, a list with a dict for each category: its ``name``,
            ``id`` (by default its place from 1 on) and its metainfo, as
            ``from_file=...`` or as keys of the same dict, without ``dataset_name``.
        source (str): Where it comes from, for the messages.

    Raises:
        FileNotFoundError: A ``from_file`` is not there, nor in MMPose.
        ConfigValueError: Naming the key, and what is expected there.
    """
    if not isinstance(info, Mapping) or 'categories' not in info:
        check_metainfo(info, source)
        return
    unknown = set(info) & set(REQUIRED) - {'dataset_name'}
    if unknown or 'dataset_name' not in info:
        raise ConfigValueError(
            f'{source}: beside `categories` it needs `dataset_name`, and each category '
            f'has keypoints of its own; it has {", ".join(sorted(info))}.'
        )
    entries = info['categories']
    if not isinstance(entries, (list, tuple)) or not entries:
        raise ConfigValueError(
            f'{source}: `categories` is {entries!r}; give a list with a dict for each '
            "category, such as dict(name='person', from_file='coco.py')."
        )
    for place, entry in enumerate(entries):
        _check_category(entry, f'{source}: categories[{place}]')
    for key, values in (
        # files are called by them, which may differ in letters and digits alone
        ('name', [re.sub(r'\W+', '_', entry['name']).casefold() for entry in entries]),
        ('id', [entry.get('id', place) for place, entry in enumerate(entries, 1)]),
    ):
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise ConfigValueError(
                f'{source}: `categories` has {key}={twice[0]!r} more than once; give '
                'every category its own (by default, `id` is its place from 1 on).'
            )


def _check_category(entry: Any, where: str) -> None:
    name = entry.get('name') if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ConfigValueError(
            f'{where} is {entry!r}; give a dict with the `name` of the category in '
            'annotation files, and its keypoints.'
        )
    number = entry.get('id', 0)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ConfigValueError(
            f'{where} ({name!r}) has id={number!r}; it is the category_id of COCO '
            'files, an integer.'
        )
    if 'from_file' in entry and set(entry) - {'name', 'id', 'from_file'}:
        known = ['name', 'id', 'from_file']
        other = sorted(set(entry) - set(known))
        raise ConfigValueError(
            f'{where} ({name!r}) has from_file, and also {", ".join(other)}, which are '
            f'not read then.{did_you_mean(other[0], known)}'
        )
    info, source = _read_category(entry, where)
    check_metainfo(info, source)
    if not len(info['sigmas']):
        raise ConfigValueError(
            f'{source}: has no `sigmas`; several categories are measured by OKS, so '
            'give one for each keypoint.'
        )


def _read_category(
    entry: Mapping[str, Any], where: str
) -> tuple[Mapping[str, Any], str]:
    if 'from_file' in entry:
        return _read_file(entry)
    return {'dataset_name': entry['name'], **entry}, f'{where} ({entry["name"]!r})'


def parse_metainfo(
    metainfo: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], dict]
) -> dict[str, Any]:
    """Parse metainfo, also of several categories.

    Args:
        metainfo (Mapping): As :func:`check_dataset_metainfo` takes it.
        parse (Callable): mmpose's ``parse_pose_metainfo``, which knows one skeleton.

    Returns:
        dict: As mmpose parses it. Of several categories it is the union, in which a
        keypoint is called ``CATEGORY/KEYPOINT``, with ``categories`` and
        ``keypoint_categories``, see :mod:`.categories`.
    """
    info = metainfo
    if 'from_file' in metainfo:
        if not Path(resolve_metainfo(metainfo)['from_file']).is_file():
            return parse(metainfo)
        info = _read_file(metainfo)[0]
    if 'categories' not in info:
        return parse(metainfo)
    check_skeletons(info, str(metainfo.get('from_file', 'metainfo')))
    union: dict[str, Any] = dict(
        dataset_name=info['dataset_name'],
        keypoint_info={},
        skeleton_info={},
        joint_weights=[],
        sigmas=[],
    )
    categories, owners = [], []
    for label, entry in enumerate(info['categories']):
        own, _ = _read_category(entry, '')
        start = len(owners)
        _add_skeleton(union, own, f'{entry["name"]}{SEPARATOR}')
        owners += [label] * len(own['keypoint_info'])
        categories.append(
            dict(
                name=entry['name'],
                id=entry.get('id', label + 1),
                keypoints=[start, len(owners)],
            )
        )
    return dict(parse(union), categories=categories, keypoint_categories=owners)


def _add_skeleton(union: dict[str, Any], own: Mapping[str, Any], prefix: str) -> None:
    """Add a category's skeleton to that of the union, with a prefix to its names."""
    points, links = union['keypoint_info'], union['skeleton_info']
    for point in own['keypoint_info'].values():
        swap = point.get('swap', '')
        changes = dict(name=prefix + point['name'], swap=swap and prefix + swap)
        points[len(points)] = {**point, 'id': len(points), **changes}
    for link in own['skeleton_info'].values():
        ends = tuple(prefix + end for end in link['link'])
        links[len(links)] = {**link, 'id': len(links), 'link': ends}
    for key in ('joint_weights', 'sigmas'):
        union[key] += [float(value) for value in own[key]]


@functools.cache
def load_sigmas(metainfo: str = COCO_METAINFO) -> tuple[float, ...]:
    """Load the sigmas of object keypoint similarity (OKS) from a data set's metainfo.

    Args:
        metainfo (str): Config with ``dataset_info``, a path or the name of one that
            MMPose brings. By default COCO's 17 keypoints.

    Returns:
        tuple[float, ...]: (K,), as fractions of the square root of the area.

    Raises:
        FileNotFoundError: There is no such config, here or in MMPose.
    """
    path = resolve_metainfo(dict(from_file=metainfo))['from_file']
    return tuple(map(float, Config.fromfile(path).dataset_info['sigmas']))


def read_sigmas(metainfo: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Read the sigmas of OKS from metainfo that mmpose has parsed.

    Args:
        metainfo (Mapping): With or without ``sigmas``, an array (K,).

    Returns:
        tuple[float, ...] | None: (K,) as they were written; None where there are none.
    """
    sigmas = np.asarray(metainfo.get('sigmas', ()))
    # mmpose keeps float32, whose shortest text is the number that was written
    return tuple(float(str(sigma)) for sigma in sigmas) or None
