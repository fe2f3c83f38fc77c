# Copyright (c) onestage_pose contributors.
"""An image is covered by tiles, and everybody in them is found once."""

from dataclasses import replace

from onestage_pose.tracking import TiledPredictor
from onestage_pose.tracking.tiles import Tile, cut_tiles, merge_tiles
from onestage_pose.utils.errors import UsageError

import numpy as np
import pytest

from tests.test_tracking.conftest import make_frame

SHAPE = 480, 640
LEFT, RIGHT = Tile(0, 0, 400, 480), Tile(240, 0, 640, 480)


@pytest.mark.parametrize('tiles', [(2, 1), (1, 3), (2, 2), (4, 3)])
@pytest.mark.parametrize('size', [(480, 640), (101, 67), (3, 5)])
def test_tiles_cover_the_image_and_overlap(size, tiles):
    height, width = size
    cut = cut_tiles(height, width, tiles)

    seen = np.zeros(size, int)
    for left, top, right, bottom in cut:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        seen[top:bottom, left:right] += 1
    assert len(cut) == tiles[0] * tiles[1]
    assert seen.min() == 1 and seen.max() >= 2
    assert len({(tile.right - tile.left, tile.bottom - tile.top) for tile in cut}) == 1


def test_a_quarter_of_a_tile_is_the_next_ones_too():
    first, second = cut_tiles(100, 700, (2, 1))

    assert (first.right - second.left) / (first.right - first.left) == 0.25


def merge(whole, left=(), right=()):
    """Joins people given in coordinates of the image; returns x and score of each."""
    parts = [
        make_frame(0.5, [(x - tile.left, y, s) for x, y, s in people])
        for people, tile in ((left, LEFT), (right, RIGHT))
    ]
    frame = replace(make_frame(0.5, whole, frame=7), shape=SHAPE)
    found = merge_tiles(frame, parts, [LEFT, RIGHT])
    assert (found.frame, found.time, found.shape) == (7, 0.5, SHAPE)
    # keypoints come along with their boxes
    offset = found.keypoints - found.boxes[:, None, :2]
    assert np.allclose(offset, offset[:1], atol=1e-3)
    centers = (found.boxes[:, 0] + found.boxes[:, 2]) / 2
    return [(x, round(float(s), 3)) for x, s in zip(centers, found.scores)]


def test_who_is_found_in_a_tile_alone_is_there():
    assert merge([(100, 200, 0.9)], right=[(500, 200, 0.5)]) == [(100, 0.9), (500, 0.5)]


def test_who_is_found_everywhere_is_there_once_at_the_best_score():
    place = 300, 200
    found = merge([(*place, 0.4)], left=[(*place, 0.7)], right=[(*place, 0.6)])

    assert found == [(300, 0.7)]


def test_who_is_cut_by_a_tile_is_left_to_the_others():
    assert merge([], left=[(385, 200, 0.9)], right=[(385, 200, 0.6)]) == [(385, 0.6)]


def test_the_border_of_the_image_cuts_nobody():
    assert merge([], left=[(15, 200, 0.9)]) == [(15, 0.9)]


def test_neighbours_of_one_part_are_both_kept():
    """The network has told them apart already."""
    assert merge([(300, 200, 0.9), (305, 200, 0.8)]) == [(300, 0.9), (305, 0.8)]


def test_nobody():
    assert merge([]) == []


@pytest.mark.parametrize('tiles', [(1, 1), (0, 2), (2, -1)])
def test_a_number_of_tiles_that_means_nothing(tiles):
    with pytest.raises(UsageError, match='tiles='):
        TiledPredictor(None, tiles)
