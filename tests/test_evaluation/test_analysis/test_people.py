# Copyright (c) onestage_pose contributors.
"""Annotations and results as arrays."""

from onestage_pose.evaluation.analysis import read_people

import pytest

from tests.test_evaluation.people import SHAPE, Scene


def test_found_people_come_by_falling_score():
    scene = Scene(1)
    scene.add_found(1, SHAPE + 5, score=0.95)

    (image,) = scene.images

    assert image.scores.tolist() == [0.95, 0.9]
    assert image.keypoints[0].tolist() == (SHAPE + 5).tolist()


def test_only_the_twenty_of_the_highest_scores_count():
    scene = Scene(1)
    for number in range(25):
        scene.add_found(1, SHAPE, score=number / 100)

    (image,) = scene.images

    assert len(image.scores) == 20
    assert image.scores.min() == 0.06


def test_without_area_it_is_a_share_of_the_box():
    scene = Scene(1)
    del scene.truth[0]['area']

    (image,) = read_people(scene.content, scene.found, 5, use_area=False)

    assert image.areas.tolist() == pytest.approx([0.53 * 100 * 100])


def test_categories_are_apart():
    scene = Scene(1)
    scene.found[0]['category_id'] = 2

    images = scene.images

    assert [(len(each.truth), len(each.scores)) for each in images] == [(1, 0), (0, 1)]


def test_person_whose_keypoints_all_score_0_is_left_out():
    scene = Scene(1)
    scene.found[0]['keypoints'][2::3] = [0] * 5

    assert len(scene.images[0].scores) == 0
