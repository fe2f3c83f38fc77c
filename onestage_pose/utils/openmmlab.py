# Copyright (c) onestage_pose contributors.
"""Which of OpenMMLab's packages are installed: its own, or the forks named onedl."""

from __future__ import annotations

from importlib import metadata

#: For each module, the distributions that may hold it; the first one that is installed
#: counts.
DISTRIBUTIONS = {
    'mmengine': ('mmengine', 'onedl-mmengine', 'mmengine-lite'),
    'mmcv': ('mmcv-lite', 'mmcv', 'onedl-mmcv', 'onedl-mmcv-lite'),
    'mmdet': ('mmdet', 'onedl-mmdetection'),
    'mmpose': ('mmpose', 'onedl-mmpose'),
}


def describe_openmmlab() -> str:
    """Describe in one line which packages serve, with their versions.

    Returns:
        str: Such as ``'OpenMMLab: mmengine 0.10.7, mmcv-lite 2.1.0, mmdet 3.3.0, mmpose
        1.3.2'``; a module that no known distribution holds stands without a version.
    """
    return 'OpenMMLab: ' + ', '.join(map(_describe, DISTRIBUTIONS))


def _describe(module: str) -> str:
    for distribution in DISTRIBUTIONS[module]:
        try:
            return f'{distribution} {metadata.version(distribution)}'
        except metadata.PackageNotFoundError:
            continue
    return f'{module} (of unknown origin)'
