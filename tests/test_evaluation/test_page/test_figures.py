# Copyright (c) onestage_pose contributors.
"""Figures take the page's colours, and change only with their numbers."""

from onestage_pose.evaluation.page.figures import draw_calibration

POINTS = [dict(score=0.2, right=0.1, number=3), dict(score=0.8, right=0.9, number=4)]
CALIBRATION = dict(bbox_scores=dict(curve=POINTS, error=0.1), keypoint_scores=None)


def test_the_same_numbers_give_the_same_figure():
    assert draw_calibration(CALIBRATION) == draw_calibration(CALIBRATION)


def test_text_has_the_colour_of_the_page():
    svg = draw_calibration(CALIBRATION)

    assert 'currentColor' in svg
    assert '#010203' not in svg
    assert 'people: mean distance 0.10' in svg
