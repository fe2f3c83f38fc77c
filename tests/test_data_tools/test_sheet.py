# Copyright (c) onestage_pose contributors.
"""The sheet shows images with their annotations, suspicious ones first."""

from onestage_pose.data_tools.check import DataReport, SplitReport, check_data
from onestage_pose.data_tools.sheet import draw_sheet
from onestage_pose.utils.errors import UsageError
from onestage_pose.visualization.palette import SIDE_COLORS

import numpy as np
import pytest
from PIL import Image

from tests.test_data_tools.conftest import write_image, write_json


@pytest.fixture
def data(tmp_path):
    """A set of five black images, the third of which has a box beyond it."""
    images, people = [], []
    for number in range(1, 6):
        name = f'{number}.png'
        write_image(tmp_path / 'images' / name, (360, 180), color=(number, 0, 0))
        images.append(dict(id=number, file_name=name, width=360, height=180))
        people.append(
            dict(
                id=number,
                image_id=number,
                category_id=1,
                bbox=[100, 40, 300 if number == 3 else 150, 100],
                keypoints=[200, 90, 2, 150, 90, 2],
            )
        )
    category = dict(id=1, name='dog', keypoints=['left_ear', 'right_ear'], skeleton=[])
    content = dict(images=images, annotations=people, categories=[category])
    return write_json(tmp_path / 'data.json', content)


def test_annotations_are_drawn_in_the_palette(data, tmp_path):
    number = draw_sheet(check_data(data), tmp_path / 'sheet.png', number=1)

    sheet = np.asarray(Image.open(tmp_path / 'sheet.png'))
    assert number == 1
    assert sheet.shape == (382, 360, 3)
    # an image of half the height of its tile lies in the middle
    assert tuple(sheet[90 + 90, 200]) == SIDE_COLORS['left']
    assert tuple(sheet[90 + 90, 150]) == SIDE_COLORS['right']


def test_images_with_findings_come_first(data, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        'onestage_pose.data_tools.sheet._make_tile',
        lambda image, text: drawn.append(text) or np.zeros((382, 360, 3), np.uint8),
    )

    draw_sheet(check_data(data), tmp_path / 'sheet.png', number=2)

    assert drawn == ['box_outside_image: 3 3.png', '1 1.png']


def test_tiles_are_laid_out_in_a_square(data, tmp_path):
    draw_sheet(check_data(data), tmp_path / 'sheet.png')

    assert Image.open(tmp_path / 'sheet.png').size == (3 * 360, 2 * 382)


def test_without_an_image_it_is_told_what_to_give(tmp_path):
    with pytest.raises(UsageError, match='--images'):
        draw_sheet(
            DataReport([SplitReport('a.json')], contents=[{}]), tmp_path / 'a.png'
        )
