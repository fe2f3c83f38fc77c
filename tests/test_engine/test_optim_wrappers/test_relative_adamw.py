# Copyright (c) onestage_pose contributors.
"""Steps relative to the size of the weights."""

from onestage_pose.engine import RelativeAdamW

import torch
from mmengine.optim import build_optim_wrapper
from torch import nn


def step(optimizer, *parameters):
    for each in parameters:
        each.grad = torch.ones_like(each)
    optimizer.step()


def test_a_relative_parameter_moves_in_proportion_to_its_size():
    small = nn.Parameter(torch.full((2, 3), 1e-4))
    large = nn.Parameter(torch.full((5,), 10.0))
    groups = [dict(params=[each], relative=True) for each in (small, large)]
    optimizer = RelativeAdamW(groups, lr=0.01, weight_decay=0.0)

    step(optimizer, small, large)

    assert torch.allclose(small, torch.full((2, 3), 0.99e-4), rtol=1e-3)
    assert torch.allclose(large, torch.full((5,), 9.9), rtol=1e-3)


def test_any_other_parameter_moves_as_by_adamw():
    ours, theirs = (nn.Parameter(torch.full((3,), 0.5)) for _ in range(2))

    step(RelativeAdamW([ours], lr=0.01), ours)
    step(torch.optim.AdamW([theirs], lr=0.01), theirs)

    assert torch.equal(ours, theirs)


def test_the_rate_that_a_schedule_sets_is_kept():
    weight = nn.Parameter(torch.full((2,), 3.0))
    optimizer = RelativeAdamW([dict(params=[weight], relative=True)], lr=0.01)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)

    step(optimizer, weight)
    schedule.step()

    assert optimizer.param_groups[0]['lr'] == 0.005


def test_a_config_names_the_relative_modules():
    model = nn.ModuleDict({'backbone': nn.Linear(2, 2), 'neck': nn.Linear(2, 2)})

    wrapper = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='RelativeAdamW', lr=0.1),
            paramwise_cfg=dict(custom_keys={'backbone': dict(relative=True)}),
        ),
    )

    # the last one is mmengine's own
    groups = wrapper.param_groups[:-1]
    assert [each.get('relative', False) for each in groups] == [True] * 2 + [False] * 2
