# Copyright (c) onestage_pose contributors.
"""Each kind of error is told where it was made, and gone once it is corrected."""

from onestage_pose.evaluation.analysis.average_precision import average_precision
from onestage_pose.evaluation.analysis.errors import KINDS, correct, find_errors
from onestage_pose.evaluation.analysis.matching import match_people
from onestage_pose.evaluation.analysis.similarity import keypoint_similarity

import numpy as np
import pytest

from tests.test_evaluation.people import FLIP, SIGMAS, Scene, distance


def errors_of(scene):
    (image,) = scene.images
    return image, find_errors(image, match_people(image, SIGMAS), SIGMAS, FLIP)


def counts(errors):
    return {
        kind: int((errors.kinds == number).sum())
        for number, kind in enumerate(('good', *KINDS))
        if (errors.kinds == number).any()
    }


def test_right_people_have_no_error():
    _, errors = errors_of(Scene(2))

    assert counts(errors) == dict(good=10)


def test_exchanged_hands_are_two_inversions():
    scene = Scene(1)
    scene.move(0, 1, scene.place(0, 2))
    scene.move(0, 2, scene.place(0, 1))

    _, errors = errors_of(scene)

    assert counts(errors) == dict(good=3, inversion=2)


@pytest.mark.parametrize('keypoint', [1, 2])
def test_another_persons_hand_is_a_swap_whichever_it_is(keypoint):
    scene = Scene(2)
    scene.move(0, 1, scene.place(1, keypoint))

    _, errors = errors_of(scene)

    assert counts(errors) == dict(good=9, swap=1)
    assert errors.other[0, 1] == 1


def test_another_persons_foot_for_a_hand_is_a_miss():
    scene = Scene(2)
    scene.move(0, 1, scene.place(1, 3))

    _, errors = errors_of(scene)

    assert counts(errors) == dict(good=9, miss=1)


@pytest.mark.parametrize(
    'similarity, kind',
    [(0.86, 'good'), (0.84, 'jitter'), (0.51, 'jitter'), (0.49, 'miss')],
)
def test_noise_is_jitter_or_a_miss_by_its_size(similarity, kind):
    scene = Scene(1)
    scene.move(0, 0, scene.place(0, 0) + [0, distance(similarity)])

    _, errors = errors_of(scene)

    assert counts(errors) == ({'good': 4, kind: 1} if kind != 'good' else {'good': 5})


def test_nearer_to_another_person_than_to_its_place_is_a_swap():
    scene = Scene(2)
    # the other's hand is 10 px away from where it belongs
    scene.truth[1]['keypoints'][3:5] = (scene.place(0, 1) + [10, 0]).tolist()
    scene.move(0, 1, scene.place(0, 1) + [8, 0])
    scene.move(1, 1, scene.place(1, 1))

    _, errors = errors_of(scene)

    assert counts(errors) == dict(good=9, swap=1)


def test_unlabelled_keypoint_is_no_error_and_nobodys_place():
    scene = Scene(2)
    scene.truth[0]['keypoints'][3:6] = [0, 0, 0]
    scene.move(0, 1, (600, 600))
    scene.truth[1]['keypoints'][8] = 0
    scene.move(1, 0, scene.place(1, 2))

    _, errors = errors_of(scene)

    assert errors.kinds[:, 1].tolist() == [-1, 0]
    assert counts(errors) == dict(good=7, miss=1)


def broken(kind):
    """Three people, all with errors of one kind and no other."""
    scene = Scene(3)
    for person in range(3):
        other = (person + 1) % 3
        place = {
            'jitter': scene.place(person, 1) + [distance(0.6), 0],
            'inversion': scene.place(person, 2),
            'swap': scene.place(other, 1),
            'miss': scene.place(person, 1) + [0, 300],
        }[kind]
        scene.move(person, 1, place)
    return scene


@pytest.mark.parametrize('kind', KINDS)
def test_ap_is_1_without_the_only_kind_of_error(kind):
    image, errors = errors_of(broken(kind))

    corrected = correct(image, errors, SIGMAS, [kind])

    assert average_precision([image], SIGMAS).ap < 1
    assert average_precision([corrected], SIGMAS).ap == pytest.approx(1)


@pytest.mark.parametrize('kind', KINDS)
def test_ap_is_as_it_was_without_another_kind_of_error(kind):
    image, errors = errors_of(broken(kind))
    others = [other for other in KINDS if other != kind]

    corrected = correct(image, errors, SIGMAS, others)

    np.testing.assert_array_equal(corrected.keypoints, image.keypoints)


@pytest.mark.parametrize(
    'kind, similarity', [('jitter', 0.85), ('inversion', 1), ('swap', 1), ('miss', 0.5)]
)
def test_the_papers_correction_leaves_the_keypoint_beside_its_place(kind, similarity):
    image, errors = errors_of(broken(kind))

    corrected = correct(image, errors, SIGMAS, [kind], how='paper')

    reached = keypoint_similarity(corrected.keypoints, image.truth, image.areas, SIGMAS)
    own = reached[errors.found, errors.truth, 1]
    np.testing.assert_allclose(own, similarity, atol=1e-9)


def test_nobody_is_in_an_image_without_people():
    scene = Scene(0)

    _, errors = errors_of(scene)

    assert errors.kinds.shape == (0, 5)
