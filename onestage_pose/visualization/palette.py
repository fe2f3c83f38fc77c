# Copyright (c) onestage_pose contributors.
"""One set of colours and sizes for every drawing of this project."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: RGB of a person's left, of the right, and of what is on neither side, as in MMPose's
#: description of COCO. ``demo/onnx_demo.py``, which stands alone, has a copy.
SIDE_COLORS = {'left': (0, 255, 0), 'right': (255, 128, 0), 'middle': (51, 153, 255)}

#: RGB of boxes.
BOX_COLOR = (255, 255, 255)

#: RGB by which people are told apart, one after the other.
PERSON_COLORS = (
    (255, 82, 82),
    (64, 156, 255),
    (76, 217, 100),
    (255, 176, 46),
    (191, 90, 242),
    (0, 211, 211),
    (255, 105, 180),
    (190, 220, 60),
    (120, 120, 255),
    (222, 160, 110),
)

# left_eye, Left Eye, l_eye, eye-l
_SIDES = {
    side: re.compile(rf'(?:^|[^a-z])(?:{side}|{side[0]})(?:[^a-z]|$)')
    for side in ('left', 'right')
}


def get_side(name: str) -> str:
    """Return ``'left'``, ``'right'`` or ``'middle'`` for the name of a keypoint."""
    words = name.lower()
    for side, pattern in _SIDES.items():
        if pattern.search(words):
            return side
    return 'middle'


def get_side_colors(
    names: Sequence[str], links: Sequence[Sequence[int]]
) -> tuple[list[tuple], list[tuple]] | None:
    """Return the colours of keypoints and links by the sides that they are on.

    Args:
        names (Sequence[str]): Of the K keypoints.
        links (Sequence[Sequence[int]]): L pairs of keypoints.

    Returns:
        tuple[list, list] | None: RGB of the K keypoints and of the L links; a link
        between two sides has the colour of the middle. None where no name tells a side.
    """
    sides = [get_side(name) for name in names]
    if set(sides) <= {'middle'}:
        return None
    of_links = [sides[a] if sides[a] == sides[b] else 'middle' for a, b in links]
    return [SIDE_COLORS[s] for s in sides], [SIDE_COLORS[s] for s in of_links]


def get_line_width(height: int, width: int) -> int:
    """Return how wide lines are in an image: a 400th of its longer side, 1 at least."""
    return max(1, round(max(height, width) / 400))


def get_radius(height: int, width: int) -> int:
    """Return the radius of keypoints in an image: two lines wide, 2 at least."""
    return max(2, 2 * get_line_width(height, width))
