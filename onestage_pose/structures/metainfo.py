# Copyright (c) onestage_pose contributors.
from __future__ import annotations

import functools
from pathlib import Path

import mmpose
from mmengine.config import Config

COCO_METAINFO = 'configs/_base_/datasets/coco.py'


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
    path = Path(metainfo)
    if not path.is_file():
        path = Path(mmpose.__file__).parent / '.mim' / metainfo
    return tuple(map(float, Config.fromfile(path).dataset_info['sigmas']))
