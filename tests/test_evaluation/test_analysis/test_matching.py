# Copyright (c) onestage_pose contributors.
"""Every person has one partner, or is a double, false or missed."""

from onestage_pose.evaluation.analysis.matching import match_people

import pytest

from tests.test_evaluation.people import SHAPE, SIGMAS, Scene, distance


def match(scene):
    (image,) = scene.images
    return match_people(image, SIGMAS)


def test_everybody_finds_its_partner():
    found = match(Scene(3))

    assert found.truth_of.tolist() == [0, 1, 2]
    assert found.oks.tolist() == [1, 1, 1]
    assert not found.is_missed.any()


def test_second_finding_of_a_person_is_a_double():
    scene = Scene(1)
    scene.add_found(1, SHAPE + distance(0.9), score=0.5)

    found = match(scene)

    assert found.is_double.tolist() == [False, True]
    assert not found.is_false.any()


def test_found_where_nobody_is_is_false():
    scene = Scene(1)
    scene.add_found(1, SHAPE + [400, 0], score=0.5)

    found = match(scene)

    assert found.is_false.tolist() == [False, True]
    assert not found.is_double.any()


def test_true_person_nobody_is_like_is_missed():
    scene = Scene(2)
    del scene.found[1]

    assert match(scene).is_missed.tolist() == [False, True]


@pytest.mark.parametrize('as_crowd', [False, True])
def test_found_where_coco_ignores_is_neither_false_nor_a_double(as_crowd):
    scene = Scene(2)
    if as_crowd:
        scene.truth[1]['iscrowd'] = 1
    else:
        scene.truth[1]['keypoints'][2::3] = [0] * 5

    found = match(scene)

    assert found.is_ignored.tolist() == [False, True]
    assert not (found.is_false | found.is_double).any()
    assert not found.is_missed.any()
