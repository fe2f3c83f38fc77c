# Copyright (c) onestage_pose contributors.
"""A case is cut out of its image and drawn twice."""

from onestage_pose.evaluation.analysis import analyse
from onestage_pose.evaluation.page.drawings import SIDE, CaseDrawer

import numpy as np
import pytest

from tests.test_evaluation.people import META, Scene

RED = (60, 60, 255)


def draw(scene, size=(200, 640)):
    analysis = analyse(scene.images, META)
    image = np.full((*size, 3), 120, np.uint8)
    return CaseDrawer(analysis, META, 0.3).draw(analysis.cases[0], image)


def count_red(drawing):
    return int((np.abs(drawing.astype(int) - RED).max(-1) < 30).sum())


@pytest.mark.parametrize('place', [(0, 2), (0, 0)])
def test_both_show_the_same_part_and_mark_the_keypoint(place):
    scene = Scene(1)
    scene.move(0, 1, scene.place(*place) + [3, 3])

    prediction, truth = draw(scene)

    assert prediction.shape == truth.shape
    assert max(prediction.shape) <= SIDE
    assert count_red(prediction) > 20 and count_red(truth) > 20


def test_person_who_reaches_out_of_the_image_is_drawn_as_far_as_it_is_in_it():
    scene = Scene(1)
    scene.move(0, 1, (-500, 9000))

    prediction, _ = draw(scene, size=(60, 60))

    assert 0 < max(prediction.shape) <= SIDE


@pytest.mark.parametrize('others_found', [0, 1])
def test_missed_person_has_its_box_in_both(others_found):
    scene = Scene(2)
    del scene.found[others_found:]

    prediction, truth = draw(scene)

    assert count_red(prediction) > 100 and count_red(truth) > 100
