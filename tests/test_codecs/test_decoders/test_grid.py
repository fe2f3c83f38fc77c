# Copyright (c) onestage_pose contributors.
from onestage_pose.codecs.decoders.grid import (
    as_fraction,
    distance_to_border,
    gather_window,
    highest_bin,
    value_at_bin,
)

import torch


def test_the_highest_bin_is_named_by_column_and_row():
    maps = torch.zeros(1, 2, 3, 4)
    maps[0, 0, 2, 1] = 5.0
    maps[0, 1, 0, 3] = 7.0
    column_row = highest_bin(maps)
    assert column_row.tolist() == [[[1, 2], [3, 0]]]
    assert value_at_bin(maps, column_row).tolist() == [[5.0, 7.0]]


def test_positions_are_fractions_of_the_width_and_the_height():
    made = as_fraction(torch.tensor([[[1.0, 1.5]]]), torch.zeros(1, 1, 3, 4))
    assert made.tolist() == [[[0.25, 0.5]]]


def test_distance_to_border_is_of_the_nearer_one():
    made = distance_to_border(torch.tensor([[[1, 0], [4, 2]]]), torch.zeros(1, 2, 3, 6))
    assert made.tolist() == [[[1, 0], [1, 0]]]


def test_gather_window_is_zero_outside_the_map():
    maps = torch.arange(1.0, 13).view(1, 1, 3, 4)
    window = gather_window(maps, torch.tensor([[[3, 0]]]), 1)
    assert window[0, 0].tolist() == [[0, 0, 0], [3, 4, 0], [7, 8, 0]]
