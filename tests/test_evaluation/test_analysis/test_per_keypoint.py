# Copyright (c) onestage_pose contributors.
"""AP, PCK and distances of single keypoints."""

from onestage_pose.evaluation.analysis import analyse

import pytest

from tests.test_evaluation.people import META, UNIT, Scene


def rows(scene):
    table = analyse(scene.images, META).values['per_keypoint']
    return {row['name']: row for row in table}


def test_right_people_are_perfect_in_every_row():
    measured = rows(Scene(2, 1))

    assert all(row['AP'] == pytest.approx(1) for row in measured.values())
    assert all(
        row['PCK'] == {'0.05': 1, '0.1': 1, '0.2': 1} for row in measured.values()
    )
    assert measured['all']['median_px'] == 0
    assert measured['all']['number'] == 15


def test_only_the_wrong_keypoint_loses_ap():
    scene = Scene(2)
    for person in (0, 1):
        scene.move(person, 1, (600, 600))

    measured = rows(scene)

    assert measured['left_hand']['AP'] == 0
    assert measured['nose']['AP'] == pytest.approx(1)
    assert measured['left_hand']['errors']['miss'] == 2


def test_pck_is_a_share_of_the_longer_side_of_the_box():
    scene = Scene(2)
    # 8 px and 15 px of a box of 100 px
    scene.move(0, 0, scene.place(0, 0) + [8, 0])
    scene.move(1, 0, scene.place(1, 0) + [0, 15])

    measured = rows(scene)

    assert measured['nose']['PCK'] == {'0.05': 0, '0.1': 0.5, '0.2': 1}


def test_missed_people_are_wrong_in_pck_of_all():
    scene = Scene(2)
    del scene.found[1]

    measured = rows(scene)

    assert measured['nose']['PCK']['0.1'] == 1
    assert measured['nose']['PCK_of_all']['0.1'] == 0.5


def test_median_distance_is_in_pixels_and_in_oks_units():
    scene = Scene(3)
    for person, off in enumerate((3, 5, 11)):
        scene.move(person, 0, scene.place(person, 0) + [off, 0])

    measured = rows(scene)

    assert measured['nose']['median_px'] == pytest.approx(5)
    assert measured['nose']['median_oks_units'] == pytest.approx(5 / UNIT)


def test_keypoint_that_is_never_labelled_has_no_number():
    scene = Scene(1)
    scene.truth[0]['keypoints'][2] = 0

    measured = rows(scene)

    assert measured['nose']['AP'] is None
    assert measured['nose']['median_px'] is None
    assert measured['nose']['PCK']['0.1'] is None
