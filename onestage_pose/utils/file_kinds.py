# Copyright (c) onestage_pose contributors.
"""What a file is by its name."""

from __future__ import annotations

import mimetypes
from pathlib import PurePath

# Not in every system's table of types.
mimetypes.add_type('video/x-matroska', '.mkv')
mimetypes.add_type('image/webp', '.webp')


def get_file_kind(path: str | PurePath) -> str | None:
    """Return what a file is by its name: ``'image'``, ``'video'``, ... or None."""
    kind, _ = mimetypes.guess_type(PurePath(path).name, strict=False)
    return None if kind is None else kind.split('/')[0]
