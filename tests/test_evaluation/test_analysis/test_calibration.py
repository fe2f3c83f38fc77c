# Copyright (c) onestage_pose contributors.
"""A score that is right as often as it says lies on the diagonal."""

from onestage_pose.evaluation.analysis import analyse
from onestage_pose.evaluation.analysis.calibration import measure_calibration

import numpy as np
import pytest

from tests.test_evaluation.people import META, SHAPE, Scene


def test_perfect_calibration_is_the_diagonal():
    scores = np.repeat(np.arange(0.05, 1, 0.1), 20)
    is_right = np.concatenate([np.arange(20) < round(20 * s) for s in scores[::20]])

    measured = measure_calibration(scores, is_right)

    assert [point['right'] for point in measured['curve']] == pytest.approx(
        [point['score'] for point in measured['curve']]
    )
    assert measured['error'] == pytest.approx(0)


def test_error_of_a_score_that_is_always_too_high():
    measured = measure_calibration(np.full(10, 0.9), np.arange(10) < 4)

    assert measured['curve'] == [dict(score=pytest.approx(0.9), right=0.4, number=10)]
    assert measured['error'] == pytest.approx(0.5)


def test_score_of_1_is_in_the_last_bin():
    measured = measure_calibration(np.array([0.95, 1.0]), np.array([True, True]))

    assert [point['number'] for point in measured['curve']] == [2]


@pytest.mark.parametrize('scores', [[], [0.5, 1.5], [-0.1, 0.3]])
def test_what_is_no_share_is_not_calibrated(scores):
    assert measure_calibration(np.array(scores), np.zeros(len(scores), bool)) is None


def test_people_and_keypoints_of_an_evaluation():
    scene = Scene(2)
    scene.add_found(1, SHAPE + [400, 100], score=0.9)
    scene.found[1]['keypoints'][2] = 0.35
    scene.move(1, 0, (600, 600))

    measured = analyse(scene.images, META).values['calibration']

    (people,) = measured['bbox_scores']['curve']
    assert people['right'] == pytest.approx(2 / 3)
    low, high = measured['keypoint_scores']['curve']
    assert (low['score'], low['right'], low['number']) == (0.35, 0, 1)
    assert (high['right'], high['number']) == (1, 9)
