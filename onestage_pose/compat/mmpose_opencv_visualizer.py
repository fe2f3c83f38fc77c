# Copyright (c) onestage_pose contributors.
"""mmpose's drawing of keypoints by OpenCV, under numpy 2.4.

Upstream: mmpose 1.3.2, ``mmpose/visualization/opencv_backend_visualizer.py``, line
137: ``int(radius)`` of an array with one element, which numpy 2.4 refuses. Can go once
``PoseLocalVisualizer`` gives a number, or that line takes the element.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from .hooks import when_imported


def install() -> None:
    """Let circles have a radius in an array, once mmpose's visualizer is imported."""
    when_imported('mmpose.visualization.opencv_backend_visualizer', accept_arrays)


def accept_arrays(opencv_backend_visualizer: ModuleType) -> None:
    """Hand ``draw_circles`` a number where the radius is an array with one element.

    Args:
        opencv_backend_visualizer: mmpose's module of this name.
    """
    visualizer = opencv_backend_visualizer.OpencvBackendVisualizer
    original = visualizer.draw_circles
    if getattr(original, 'accepts_arrays', False):
        return

    @functools.wraps(original)
    def draw_circles(self, center: Any, radius: Any, *args: Any, **kwargs: Any) -> Any:
        # matplotlib's, the other backend, wants the array
        if self.backend == 'opencv' and getattr(radius, 'size', 0) == 1:
            radius = radius.item()
        return original(self, center, radius, *args, **kwargs)

    draw_circles.accepts_arrays = True
    visualizer.draw_circles = draw_circles
