# Copyright (c) onestage_pose contributors.
"""COCO's similarity at distances where it is known."""

from onestage_pose.evaluation.analysis.similarity import (
    distance_of_similarity,
    keypoint_similarity,
)

import numpy as np
import pytest

from tests.test_evaluation.people import SHAPE, SIGMAS, UNIT


def similarity_at(distance):
    points = SHAPE[None] + [distance, 0]
    return keypoint_similarity(points, SHAPE[None], np.array([1e4]), SIGMAS)[0, 0]


def test_same_place_is_1():
    np.testing.assert_array_equal(similarity_at(0), 1)


def test_one_oks_unit_is_the_standard_deviation():
    np.testing.assert_allclose(similarity_at(UNIT), np.exp(-0.5))


@pytest.mark.parametrize('similarity', [0.5, 0.85])
def test_distance_of_a_similarity_has_that_similarity(similarity):
    distance = distance_of_similarity(similarity, 1e4, SIGMAS)

    np.testing.assert_allclose(similarity_at(distance[0]), similarity)


def test_person_without_area_is_like_nobody_but_in_the_same_place():
    found = keypoint_similarity(SHAPE[None] + 1, SHAPE[None], np.zeros(1), SIGMAS)

    assert found.max() == 0
