# Copyright (c) onestage_pose contributors.
"""mmpose draws keypoints by OpenCV under every numpy."""

import warnings

from onestage_pose.compat.mmpose_opencv_visualizer import accept_arrays

import numpy as np
import pytest
from mmpose.visualization import opencv_backend_visualizer
from mmpose.visualization.opencv_backend_visualizer import OpencvBackendVisualizer


@pytest.fixture
def visualizer():
    visualizer = OpencvBackendVisualizer(backend='opencv')
    visualizer.set_image(np.zeros((20, 20, 3), np.uint8))
    return visualizer


@pytest.mark.parametrize('radius', [3, np.array([3])], ids=['number', 'array'])
def test_circle_is_drawn(visualizer, radius):
    visualizer.draw_circles(
        np.array([10, 10]), radius=radius, face_colors=(255, 0, 0), alpha=1.0
    )

    assert visualizer.get_image()[10, 12].tolist() == [255, 0, 0]


def test_replacing_again_changes_nothing():
    before = OpencvBackendVisualizer.draw_circles

    accept_arrays(opencv_backend_visualizer)

    assert OpencvBackendVisualizer.draw_circles is before


def test_mmpose_still_needs_it(visualizer):
    draw_circles = OpencvBackendVisualizer.draw_circles.__wrapped__

    # a warning before numpy 2.4, an error from then on
    with warnings.catch_warnings(), pytest.raises((DeprecationWarning, TypeError)):
        warnings.simplefilter('error')
        draw_circles(
            visualizer, np.array([10, 10]), np.array([3]), face_colors=(255, 0, 0)
        )
