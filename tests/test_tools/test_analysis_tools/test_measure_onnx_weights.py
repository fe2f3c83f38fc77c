# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/measure_onnx_weights.py sums up images as a reader expects."""

from onestage_pose.deployment.onnx_check import Agreement

import pytest

from tests.tool_runs import load_tool


def agree(people, bboxes, keypoints, close):
    return Agreement('a.jpg', (64, 64), people, bboxes, keypoints, 0.0, (1, 1), close)


def test_the_share_of_keypoints_is_of_people_and_not_of_images():
    summarise = load_tool('analysis_tools/measure_onnx_weights').summarise

    found = summarise(
        [
            agree((1, 1), 0.01, 6.0, 0.5),
            agree((3, 3), 0.02, 0.1, 1.0),
            agree((0, 0), 0.0, 0.0, 1.0),
        ]
    )

    assert found == dict(
        people=4,
        other_people=0,
        largest_box_px=0.02,
        largest_keypoint_px=6.0,
        median_keypoint_px=0.1,
        close=pytest.approx(0.875),
    )
