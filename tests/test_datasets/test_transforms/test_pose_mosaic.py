# Copyright (c) onestage_pose contributors.
from onestage_pose.datasets import PoseMosaic

import numpy as np
import pytest


class Images:
    """Grey images of 10x8 px with one person each, numbered by their grey."""

    def __len__(self):
        return 6

    def get_data_info(self, index):
        return dict(
            img=np.full((8, 10, 3), 10 * (index + 1), np.uint8),
            img_shape=(8, 10),
            id=[index],
            bbox=np.array([[1, 2, 3, 4]], np.float32),
            keypoints=np.array([[[1.5, 2.5]]], np.float32),
            keypoints_visible=np.ones((1, 1), np.float32),
        )


def mosaic(grid, tile=()):
    data = Images().get_data_info(0)
    data['dataset'] = Images()
    return PoseMosaic(tile=list(tile), grid=grid).transform(data)


@pytest.mark.parametrize('grid', [(2, 2), (1, 3), (3, 1)])
def test_people_lie_on_their_own_images(grid):
    results = mosaic(grid)
    rows, columns = grid
    assert results['img'].shape == (8 * rows, 10 * columns, 3)
    assert results['img_shape'] == (8 * rows, 10 * columns)
    assert len(results['bbox']) == len(results['id']) == rows * columns
    for id_, box, point in zip(
        results['id'], results['bbox'], results['keypoints'][:, 0]
    ):
        x1, y1, x2, y2 = box.astype(int)
        assert (results['img'][y1:y2, x1:x2] == 10 * (id_ + 1)).all()
        np.testing.assert_array_equal(point - box[:2], (0.5, 0.5))
    assert len(set(map(tuple, results['bbox']))) == rows * columns


def test_the_first_image_is_the_one_asked_for():
    results = mosaic((2, 2))
    assert results['id'][0] == 0 and results['img'][0, 0, 0] == 10


def test_tiles_of_several_sizes_are_refused():
    def shorten(data):
        data['img'] = data['img'][: len(data['img']) - data['id'][0]]
        return data

    with pytest.raises(ValueError, match='tiles must be of one size'):
        mosaic((2, 2), [shorten])


def test_an_image_that_is_passed_over_is_drawn_anew():
    seen = []

    def pass_over_every_other(data):
        assert isinstance(data['dataset'], Images)
        seen.append(data['id'][0])
        return None if len(seen) % 2 == 0 else data

    results = mosaic((2, 2), [pass_over_every_other])
    assert len(results['bbox']) == 4 and len(seen) == 7


def test_without_the_first_image_the_data_set_takes_another():
    assert mosaic((2, 2), [lambda data: None]) is None


def test_a_set_that_cannot_be_read_is_an_error():
    first = iter([True])
    with pytest.raises(ValueError, match='of 30 images of Images 0 could be read'):
        mosaic((2, 2), [lambda data: data if next(first, False) else None])
