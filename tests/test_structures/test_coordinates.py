# Copyright (c) onestage_pose contributors.
from onestage_pose.structures import (
    bin_centers,
    continuous_to_pixel_index,
    pixel_index_to_continuous,
    resize_pixel_index,
)

import numpy as np
import pytest
import torch


def array(values):
    return np.array(values, np.float32)


@pytest.mark.parametrize('make', [array, torch.tensor], ids=['numpy', 'torch'])
class TestPoints:
    def test_the_first_pixels_centre_is_half_a_pixel_from_the_edge(self, make):
        assert pixel_index_to_continuous(make([[0.0, 3.0]])).tolist() == [[0.5, 3.5]]

    def test_there_and_back(self, make):
        points = make([[-2.0, 0.25], [7.5, 1e4]])
        back = continuous_to_pixel_index(pixel_index_to_continuous(points))
        assert back.tolist() == points.tolist()

    def test_types_stay(self, make):
        points = make([[1.0, 2.0]])
        made = resize_pixel_index(points, make([2.0, 0.5]))
        assert type(made) is type(points) and made.dtype == points.dtype

    def test_resizing_keeps_the_edges_of_the_image_where_they_are(self, make):
        # the far edge of an image of 4 x 8 pixels, as a pixel index
        made = resize_pixel_index(make([[3.5, 7.5]]), make([2.0, 0.5]))
        assert made.tolist() == [[7.5, 3.5]]


def test_centers_of_bins():
    assert bin_centers(3).tolist() == [0.5, 1.5, 2.5]
    assert bin_centers(3).dtype == torch.float32


def test_whole_numbers_give_float32_whatever_the_default_dtype_is():
    torch.set_default_dtype(torch.float64)
    try:
        assert pixel_index_to_continuous(torch.arange(3)).dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)
