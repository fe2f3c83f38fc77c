# Copyright (c) onestage_pose contributors.
"""The lines for a terminal."""

from onestage_pose.evaluation.analysis import analyse, summarize
from onestage_pose.evaluation.analysis.summary import percent

import pytest

from tests.test_evaluation.people import META, Scene


def test_says_what_costs_how_much():
    scene = Scene(2)
    scene.move(0, 1, scene.place(1, 1))
    del scene.found[1]

    lines = summarize(analyse(scene.images, META).values).splitlines()

    assert 'swap 20.0%' in lines[2]
    assert lines[3].startswith('People: 2 annotated, 1 missed; 0 false (0 over')
    assert len(lines) == 5


@pytest.mark.parametrize(
    'value, text', [(0.4004, '40.0'), (1, '100.0'), (-1, '-'), (None, '-')]
)
def test_ap_is_written_in_percent(value, text):
    assert percent(value) == text
