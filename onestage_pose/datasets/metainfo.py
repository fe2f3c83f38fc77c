# Copyright (c) onestage_pose contributors.
"""Find the metainfo files that come with mmpose."""

from __future__ import annotations

from pathlib import Path

import mmpose

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
