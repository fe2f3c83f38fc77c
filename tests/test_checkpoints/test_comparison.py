# Copyright (c) onestage_pose contributors.
"""Weights of a file and of a model are compared by name and shape."""

from onestage_pose.checkpoints.comparison import compare_weights, list_names

import pytest
import torch
from torch import nn


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_own_weights_do_not_differ(model: nn.Module) -> None:
    found = compare_weights(model.state_dict(), model)

    assert found == (6, [], [], [])


def test_missing_ones_are_not_matching(model: nn.Module) -> None:
    found = compare_weights({'0.weight': torch.zeros(3, 2)}, model)

    assert found.missing[0] == '0.bias'
    assert found.matching == 1


def test_other_shape_is_told_with_both(model: nn.Module) -> None:
    found = compare_weights(model.state_dict() | {'0.bias': torch.zeros(4)}, model)

    assert found.reshaped == ['0.bias 4 instead of 3']


def test_unexpected_ones_are_named(model: nn.Module) -> None:
    found = compare_weights(model.state_dict() | {'head.bias': torch.zeros(4)}, model)

    assert found.unexpected == ['head.bias']


def test_counter_of_a_batch_norm_may_be_absent(model: nn.Module) -> None:
    weights = model.state_dict()
    del weights['1.num_batches_tracked']

    assert compare_weights(weights, model).missing == []


def test_difference_reads_as_a_sentence(model: nn.Module) -> None:
    found = compare_weights({'0.weight': torch.zeros(3, 2), 'a': torch.ones(1)}, model)

    assert str(found) == (
        '5 (0.bias, 1.weight, 1.bias, 1.running_mean, 1.running_var) missing, none of '
        'another shape, 1 (a) unexpected'
    )


def test_long_lists_are_cut() -> None:
    assert list_names('abcdefg') == '7 (a, b, c, d, e, ...)'
