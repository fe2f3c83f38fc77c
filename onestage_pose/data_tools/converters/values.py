# Copyright (c) onestage_pose contributors.
"""Values that annotation programs write in more than one way."""

from __future__ import annotations

import math
from typing import Any

from ...structures.coco_records import FARTHEST, quote
from ...utils.errors import AnnotationError


def read_number(value: Any, where: str) -> float:
    """Read a coordinate, also one that is written as text.

    Raises:
        AnnotationError: It is not a finite number, or farther than an image reaches.
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= FARTHEST:
        raise AnnotationError(f'{where}: {quote(value)} is not a number in an image.')
    return number


def read_size(width: Any, height: Any, where: str) -> tuple[int, int]:
    """Read the size of an image.

    Raises:
        AnnotationError: A side is no whole number above 0.
    """
    sides = read_number(width, where), read_number(height, where)
    if any(side <= 0 or side != int(side) for side in sides):
        raise AnnotationError(
            f'{where}: {quote(width)}x{quote(height)} is not an image size in pixels.'
        )
    return int(sides[0]), int(sides[1])
