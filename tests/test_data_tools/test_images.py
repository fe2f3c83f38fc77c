# Copyright (c) onestage_pose contributors.
"""Images are found by the names of other programs, and give their frame."""

from onestage_pose.data_tools.images import clean_name, find_image, fit_to_file
from onestage_pose.data_tools.labels import (
    Keypoint,
    LabelledImage,
    LabelledObject,
    Remarks,
)

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.test_data_tools.conftest import write_image


def labelled(x, y, box=None, size=(100, 50), segmentation=None):
    one = LabelledObject(
        'dog', {'nose': Keypoint(x, y)}, box, segmentation=segmentation
    )
    return LabelledImage(['a.png'], [one], size)


@pytest.mark.parametrize('orientation', [5, 6, 7, 8])
def test_coordinates_of_the_stored_image_are_turned_with_it(tmp_path, orientation):
    path, x, y = tmp_path / 'a.png', 70, 10
    pixels = np.zeros((50, 100, 3), np.uint8)
    pixels[y, x] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)
    it, remarks = labelled(x, y, (60, 5, 20, 10)), Remarks()

    assert fit_to_file(it, path, remarks)

    shown = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    [(row, column, _)] = np.argwhere(shown)[::3]
    assert it.objects[0].keypoints['nose'][:2] == (column, row)
    assert it.size == (50, 100)
    left, top, width, height = it.objects[0].box
    assert (width, height) == (10, 20)
    # the pixel is as far within the box as it was
    assert sorted((column - left, left + width - column - 1)) == [4, 5]
    assert sorted((row - top, top + height - row - 1)) == [9, 10]
    assert 'turned as EXIF turns the image' in remarks.notes[0]


def test_coordinates_outside_the_stored_image_are_of_the_shown_one(tmp_path):
    path = write_image(tmp_path / 'a.jpg', (100, 50), orientation=6)
    it, remarks = labelled(10, 90), Remarks()

    fit_to_file(it, path, remarks)

    assert it.objects[0].keypoints['nose'][:2] == (10, 90)
    assert it.size == (50, 100)
    assert 'the size is corrected' in remarks.notes[0]


def test_outlines_are_turned_too(tmp_path):
    path = write_image(tmp_path / 'a.jpg', (100, 50), orientation=6)
    it = labelled(70, 10, segmentation=[[70, 10, 80, 10, 80, 20]])

    fit_to_file(it, path, Remarks())

    assert it.objects[0].segmentation == [[40, 70, 40, 80, 30, 80]]


def test_a_file_of_another_size_is_left_out(tmp_path):
    path = write_image(tmp_path / 'a.jpg', (64, 48))
    remarks = Remarks()

    assert not fit_to_file(labelled(1, 1), path, remarks)
    assert '64x48 instead of 100x50' in remarks.left_out[0]


def test_a_torn_file_is_left_out(tmp_path):
    path, remarks = tmp_path / 'a.jpg', Remarks()
    path.write_bytes(b'\xff\xd8\xff')

    assert not fit_to_file(labelled(1, 1), path, remarks)
    assert str(path) in remarks.left_out[0]


def test_an_image_without_file_and_size_is_left_out():
    remarks = Remarks()

    assert not fit_to_file(labelled(1, 1, size=None), None, remarks)
    assert '--images' in remarks.left_out[0]


def test_a_file_of_that_very_name_comes_first(tmp_path):
    path = write_image(tmp_path / 'a%20b.jpg')
    write_image(tmp_path / 'a b.jpg')

    assert find_image(['a%20b.jpg'], [tmp_path]) == path


def test_a_similar_name_is_not_taken(tmp_path):
    write_image(tmp_path / 'img_002.jpg')

    assert find_image(['img_001.jpg'], [tmp_path]) is None


@pytest.mark.parametrize(
    'name, clean',
    [
        ('C:\\me\\a.jpg', 'me/a.jpg'),
        ('/home/me/a.jpg', 'home/me/a.jpg'),
        ('../../a.jpg', 'a.jpg'),
        ('./b/../a.jpg', 'b/a.jpg'),
    ],
)
def test_a_clean_name_stays_within_the_folder(name, clean):
    assert clean_name(name) == clean
