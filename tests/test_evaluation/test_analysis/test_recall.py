# Copyright (c) onestage_pose contributors.
"""Recall of groups of people."""

from onestage_pose.evaluation.analysis.recall import measure_recall

import pytest

from tests.test_evaluation.people import SHAPE, SIGMAS, Scene


def groups(scene, key):
    rows = measure_recall(scene.images, SIGMAS)[key]
    return {row['group']: (row['number'], row['recall']) for row in rows}


def test_by_size():
    scene = Scene(1)
    scene.add_truth(1, 1, size=20.0)
    scene.add_truth(1, 2, size=300.0)
    scene.add_found(1, 3 * SHAPE + [400, 0])

    assert groups(scene, 'size') == {
        'under 32 px': (1, 0),
        '32 to 96 px': (0, None),
        '96 to 192 px': (1, 1),
        'over 192 px': (1, 1),
    }


def test_by_crowding():
    scene = Scene(3)
    # the second stands 50 px beside the first: an IoU of a third
    scene.truth[1]['bbox'][0] = 50.0
    del scene.found[1]

    assert groups(scene, 'crowding') == {
        '0 others': (1, 1),
        '1 or 2': (2, 0.5),
        '3 or more': (0, None),
    }


def test_by_labelled_keypoints():
    scene = Scene(1)
    scene.add_truth(1, 1, labelled=(1, 0, 0, 0, 0))

    assert groups(scene, 'labelled keypoints') == {
        '1 to 2': (1, 0),
        '3 to 4': (0, None),
        '5': (1, 1),
    }


def test_ar_is_the_mean_over_thresholds():
    scene = Scene(1)
    # four of five keypoints: an OKS of 0.8, seven of ten thresholds
    scene.move(0, 0, (600, 600))

    row = measure_recall(scene.images, SIGMAS)['size'][2]

    assert row['AR'] == pytest.approx(0.7)
