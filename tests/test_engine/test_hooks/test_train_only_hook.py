# Copyright (c) onestage_pose contributors.
from types import SimpleNamespace

from onestage_pose.engine.hooks import TrainOnlyHook
from onestage_pose.utils.errors import ConfigValueError

import pytest
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        self.branch = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))

    def forward(self, x):
        return self.branch(self.trunk(x)).square().sum()


def run(steps=3, modules=('branch',)):
    """Train a model with the hook; return it and its state from before."""
    torch.manual_seed(0)
    model = Model()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    # built before the hook is called, as the Runner does
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    hook, runner = TrainOnlyHook(modules), SimpleNamespace(model=model)
    hook.before_train(runner)
    for step in range(steps):
        model.train()
        hook.before_train_iter(runner, step)
        optimizer.zero_grad()
        model(torch.randn(4, 2)).backward()
        optimizer.step()
    return model, before


def test_the_others_stay_as_they_are_statistics_too():
    model, before = run()
    after = model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split('.')[0] for name in changed} == {'branch'}


def test_all_of_the_part_is_trained():
    model, before = run()
    after = model.branch.state_dict()
    assert not any(torch.equal(before[f'branch.{name}'], after[name]) for name in after)


def test_a_part_that_does_not_exist_is_named_with_the_likely_one():
    with pytest.raises(ConfigValueError, match="'brunch'.*branch"):
        run(modules=['brunch'])
