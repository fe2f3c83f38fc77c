# Copyright (c) onestage_pose contributors.
"""One palette tells left and right apart in every drawing."""

import importlib.util
from pathlib import Path

from onestage_pose.visualization.palette import (
    SIDE_COLORS,
    get_line_width,
    get_radius,
    get_side,
    get_side_colors,
)

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    'name, side',
    [
        ('left_eye', 'left'),
        ('right_ankle', 'right'),
        ('Right Knee', 'right'),
        ('l_hip', 'left'),
        ('hip-r', 'right'),
        ('nose', 'middle'),
        ('upright', 'middle'),
        ('collar', 'middle'),
    ],
)
def test_the_name_tells_the_side(name, side):
    assert get_side(name) == side


def test_a_link_across_has_the_colour_of_the_middle():
    names = ['left_hip', 'right_hip', 'left_knee']

    keypoints, links = get_side_colors(names, [(0, 1), (0, 2)])

    assert keypoints == [SIDE_COLORS[side] for side in ('left', 'right', 'left')]
    assert links == [SIDE_COLORS['middle'], SIDE_COLORS['left']]


def test_names_without_sides_have_no_colours():
    assert get_side_colors(['nose', 'tail'], [(0, 1)]) is None


@pytest.mark.parametrize(
    'size, line_width, radius',
    [((150, 200), 1, 2), ((480, 640), 2, 4), ((2592, 3872), 10, 20)],
)
def test_sizes_are_in_proportion_to_the_image(size, line_width, radius):
    assert (get_line_width(*size), get_radius(*size)) == (line_width, radius)


def test_the_onnx_demo_has_the_same_colours():
    pytest.importorskip('onnxruntime')
    path = REPOSITORY / 'demo/onnx_demo.py'
    spec = importlib.util.spec_from_file_location('onnx_demo', path)
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)

    for name in ('left_eye', 'right_eye', 'nose'):
        bgr = demo.COLOURS[demo.side_of(name)]
        assert bgr[::-1] == SIDE_COLORS[get_side(name)]
