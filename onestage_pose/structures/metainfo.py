# Copyright (c) onestage_pose contributors.
"""Find the metainfo files of data sets, and read what they say."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mmpose
import numpy as np
from mmengine.config import Config

from ..utils.errors import ConfigValueError
from .skeleton_schema import check_metainfo

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
        ConfigValueError: It breaks the schema of :func:`check_metainfo`.
    """
    if not isinstance(metainfo, dict):
        raise ConfigValueError(
            f'metainfo={metainfo!r} of the dataset: give a dict, such as '
            "dict(from_file='configs/_base_/datasets/coco.py')."
        )
    if not metainfo:
        return
    if 'from_file' not in metainfo:
        check_metainfo(metainfo, 'metainfo of the dataset')
        return
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
    check_metainfo(content.dataset_info, file)


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
