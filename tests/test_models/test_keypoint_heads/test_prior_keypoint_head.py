# Copyright (c) onestage_pose contributors.
from onestage_pose.models import FinePriorKeypointHead, PriorKeypointHead
from onestage_pose.utils.errors import ConfigValueError

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def head(**options):
    return PriorKeypointHead(
        num_convs=1, in_channels=6, conv_out_channels=4, num_keypoints=3, **options
    )


def test_a_head_that_adds_nothing_gives_the_prior():
    model = head(prior_scale=2.0)
    nn.init.zeros_(model.deconv.weight)
    nn.init.zeros_(model.deconv.bias)
    x = torch.zeros(1, 6, 14, 14)
    x[0, 1, 3, 5] = 1
    logits = model(x).logits[0]
    assert logits.shape == (3, 56, 56)
    # the 4x4 bins of the cell are the highest; the others are 0
    rows, columns = (logits[1] == logits[1].max()).nonzero().unbind(1)
    assert set(rows.tolist()) <= set(range(12, 16))
    assert set(columns.tolist()) <= set(range(20, 24))
    assert logits[[0, 2]].abs().max() == 0 and 1 < logits.max() <= 2


def test_convolutions_and_scales_learn():
    model = head()
    model(torch.randn(2, 6, 14, 14)).logits.square().sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in model.parameters())


def test_each_keypoint_has_the_prior_of_its_own_channel_or_none():
    model = head(prior_scale=2.0, prior_channels=[4, None, 1])
    nn.init.zeros_(model.deconv.weight)
    nn.init.zeros_(model.deconv.bias)
    x = torch.arange(6.0)[:, None, None].expand(1, 6, 14, 14)
    logits = model(x).logits[0]
    assert logits[:, 0, 0].tolist() == [8.0, 0.0, 2.0]


def test_channels_that_are_not_there_are_refused():
    with pytest.raises(ConfigValueError, match='give 3, one for each .* from 0 to 5'):
        head(prior_channels=[0, 1, 6])


def test_nobody():
    assert head()(torch.zeros(0, 6, 14, 14)).logits.shape == (0, 3, 56, 56)


def fine_head(**options):
    model = FinePriorKeypointHead(
        num_convs=1, in_channels=6, conv_out_channels=4, num_keypoints=3, **options
    )
    model.init_weights()
    return model


def test_a_new_fine_head_gives_what_the_coarse_one_does_and_the_finer_prior():
    fine, coarse = fine_head(prior_scale=2.0), head(prior_scale=0.0)
    weights = fine.state_dict() | {'prior_scale': torch.zeros(3)}
    coarse.load_state_dict({name: weights[name] for name in coarse.state_dict()})
    x = torch.randn(2, 6, 28, 28)
    prior = F.interpolate(2 * x[:, :3], scale_factor=2.0, mode='bilinear')

    logits = fine(x).logits

    assert logits.shape == (2, 3, 56, 56)
    expected = coarse(F.avg_pool2d(x, 2)).logits + prior
    assert torch.allclose(logits, expected, atol=1e-5)


def test_details_are_seen_that_the_average_of_four_cells_hides():
    model = fine_head(prior_scale=0.0)
    nn.init.normal_(model.refine.weight)
    x = torch.zeros(1, 6, 28, 28)
    x[0, 5, 10, 10], x[0, 5, 10, 11] = 1, -1

    change = model(x).logits - model(torch.zeros_like(x)).logits

    assert F.avg_pool2d(x, 2).abs().max() == 0
    assert change.abs().max() > 0.01


def test_everything_in_a_fine_head_learns_after_the_first_step():
    model = fine_head()
    nn.init.normal_(model.refine.weight)

    model(torch.randn(2, 6, 28, 28)).logits.square().sum().backward()

    assert all(value.grad.abs().sum() > 0 for value in model.parameters())


def test_nobody_for_a_fine_head():
    assert fine_head()(torch.zeros(0, 6, 28, 28)).logits.shape == (0, 3, 56, 56)
