# Copyright (c) onestage_pose contributors.
"""People are compared as COCO does it, hidden keypoints left out."""

from onestage_pose.tracking.similarity import (
    move_keypoints,
    pairwise_iou,
    pairwise_oks,
)

import numpy as np
import pytest
from mmpose.evaluation.functional.nms import oks_iou

BOXES = np.array([[0, 0, 40, 100], [20, 0, 60, 100.0]])
SIGMAS = np.full(17, 0.07)


def people(seed=0, score=0.9):
    places = np.random.default_rng(seed).uniform(0, 40, (2, 17, 2))
    return np.concatenate([places, np.full((2, 17, 1), score)], -1)


def test_oks_is_that_of_mmpose():
    one, other = people(0), people(1)
    # mmpose takes the mean of both areas, this the first one
    area = 0.53 * 40 * 100

    expected = oks_iou(
        one[0].ravel(), other.reshape(2, -1), area, np.array([area, area]), SIGMAS
    )

    assert pairwise_oks(one, other, BOXES, SIGMAS)[0] == pytest.approx(expected)


def test_the_same_person_is_alike():
    assert pairwise_oks(people(), people(), BOXES, SIGMAS).diagonal() == pytest.approx(
        1
    )


def test_a_keypoint_that_is_a_guess_does_not_count():
    one, other = people(), people()
    other[:, 3, :2] += 500
    other[:, 3, 2] = 0.05

    assert pairwise_oks(one, other, BOXES, SIGMAS).diagonal() == pytest.approx(1)


def test_of_guesses_alone_nothing_is_known():
    assert not pairwise_oks(people(score=0.01), people(), BOXES, SIGMAS).any()


def test_a_box_without_area_is_like_nobody():
    boxes = np.array([[50, 50, 40, 20], [50, 50, 50, 50.0]])

    assert pairwise_oks(people(0), people(1), boxes, SIGMAS).max() < 0.1


def test_iou_of_half_a_box():
    assert pairwise_iou(BOXES, BOXES)[0] == pytest.approx([1, 1 / 3])


@pytest.mark.parametrize(('many', 'others'), [(0, 2), (2, 0), (0, 0)])
def test_nobody_is_like_nobody(many, others):
    one, other = people()[:many], people()[:others]

    assert pairwise_oks(one, other, BOXES[:many], SIGMAS).shape == (many, others)
    assert pairwise_iou(BOXES[:many], BOXES[:others]).shape == (many, others)


def test_keypoints_move_with_their_box():
    """Twice as large, and elsewhere: corners stay corners."""
    corners = np.array([[[0, 0, 0.5], [40, 100, 0.7]]])
    target = np.array([[100, 100, 180, 300.0]])

    moved = move_keypoints(corners, BOXES[:1], target)

    assert moved.tolist() == [[[100, 100, 0.5], [180, 300, 0.7]]]
