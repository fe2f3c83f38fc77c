# Copyright (c) onestage_pose contributors.
"""``xtcocotools.mask`` by pycocotools, whose functions are the same."""

from pycocotools.mask import (  # noqa: F401
    area,
    decode,
    encode,
    frPyObjects,
    iou,
    merge,
    toBbox,
)
