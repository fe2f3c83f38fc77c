# Copyright (c) onestage_pose contributors.
"""The worst people come first, and none of an image twice."""

from onestage_pose.evaluation.analysis import analyse

import pytest

from tests.test_evaluation.people import META, SHAPE, Scene


def cases(scene, number=6):
    return analyse(scene.images, META, num_cases=number).values['cases']


def test_person_who_loses_most_comes_first():
    scene = Scene(1, 1)
    for person, keypoints in enumerate([(0,), (0, 1)]):
        for keypoint in keypoints:
            scene.move(person, keypoint, (600, 190))

    first, second = cases(scene)

    assert (first['kind'], first['image_id'], first['annotation_id']) == ('miss', 2, 2)
    assert first['keypoints'] == ['nose', 'left_hand']
    assert first['OKS'] == pytest.approx(0.6)
    assert first['OKS_lost'] == pytest.approx(0.4)
    assert second['image_id'] == 1


def test_false_people_by_score_and_one_of_an_image():
    scene = Scene(1, 1)
    for image_id, score in ((1, 0.4), (1, 0.7), (2, 0.5)):
        scene.add_found(image_id, SHAPE + [400, 100], score=score)

    found = [(case['kind'], case['image_id'], case['score']) for case in cases(scene)]

    assert found == [('false people', 1, 0.7), ('false people', 2, 0.5)]


def test_no_more_of_a_kind_than_asked_for():
    scene = Scene(1, 1, 1)
    del scene.found[:]

    assert [case['kind'] for case in cases(scene, number=2)] == ['missed people'] * 2
