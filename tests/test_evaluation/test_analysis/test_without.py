# Copyright (c) onestage_pose contributors.
"""AP rises to 1 without the only fault that was made."""

from onestage_pose.evaluation.analysis.errors import find_errors
from onestage_pose.evaluation.analysis.matching import match_people
from onestage_pose.evaluation.analysis.without import measure_without

import pytest

from tests.test_evaluation.people import FLIP, SHAPE, SIGMAS, Scene


def without(scene):
    images = scene.images
    matches = [match_people(image, SIGMAS) for image in images]
    errors = [
        find_errors(image, match, SIGMAS, FLIP) for image, match in zip(images, matches)
    ]
    return measure_without(images, matches, errors, SIGMAS)


def false_people():
    scene = Scene(2, 2)
    scene.add_found(1, SHAPE + [400, 0], score=0.99)
    return scene


def missed_people():
    scene = Scene(2, 2)
    del scene.found[0]
    return scene


def ranking():
    scene = Scene(1, 1)
    # half right, of the higher score
    scene.found[0]['score'] = 0.95
    for keypoint in (0, 1):
        scene.move(0, keypoint, (600, 600))
    return scene


@pytest.mark.parametrize(
    'kind, scene',
    [('false people', false_people()), ('missed people', missed_people())],
)
def test_ap_is_1_without_the_only_fault(kind, scene):
    measured = without(scene)

    assert measured[kind]['AP'] == pytest.approx(1)
    others = {'doubles', 'false people', 'missed people'} - {kind}
    assert all(measured[other]['AP'] < 1 for other in others)


def test_doubles_that_rank_before_others_cost_what_leaving_them_out_gains():
    scene = Scene(2, 2)
    for record in scene.found:
        record['score'] = 0.5
    scene.found[0]['score'] = 0.9
    scene.add_found(1, SHAPE, score=0.8)

    measured = without(scene)

    assert measured['doubles']['AP'] == pytest.approx(1)
    assert measured['false people']['AP'] < 1


def test_ranking_by_true_oks_puts_the_better_first():
    measured = without(ranking())

    # of two people one is found well; before it comes nobody then
    as_they_are, ranked = measured['doubles']['AP'], measured['ranking']['AP']
    assert ranked > as_they_are


def test_faults_of_keypoints_together():
    scene = Scene(2)
    scene.move(0, 1, scene.place(0, 2))
    scene.move(1, 0, (600, 600))

    measured = without(scene)

    assert measured['keypoints']['AP'] == pytest.approx(1)
    assert measured['inversion']['AP'] < 1
    assert measured['miss']['AP_paper'] <= measured['miss']['AP'] < 1
