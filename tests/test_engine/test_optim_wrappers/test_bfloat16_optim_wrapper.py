# Copyright (c) onestage_pose contributors.
"""Mixed precision that a CPU can train in."""

from onestage_pose.engine.optim_wrappers import (
    Bfloat16OptimWrapper,
    bfloat16_optim_wrapper,
)

import pytest
import torch
from torch import nn


@pytest.fixture
def linear() -> nn.Linear:
    return nn.Linear(4, 2)


@pytest.fixture(params=[True, False], ids=['able', 'unable'])
def able(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the CPU is taken to multiply in bfloat16."""
    monkeypatch.setattr(
        bfloat16_optim_wrapper, 'can_autocast', lambda *args: request.param
    )
    return request.param


@pytest.fixture
def wrapper(linear: nn.Linear, able: bool) -> Bfloat16OptimWrapper:
    return Bfloat16OptimWrapper(torch.optim.SGD(linear.parameters(), lr=0.1))


def test_forward_pass_runs_in_bfloat16_where_the_cpu_can(
    linear: nn.Linear, wrapper: Bfloat16OptimWrapper, able: bool
) -> None:
    with wrapper.optim_context(linear):
        output = linear(torch.ones(1, 4))

    assert output.dtype == (torch.bfloat16 if able else torch.float32)


def test_weights_stay_and_are_updated_in_float32(
    linear: nn.Linear, wrapper: Bfloat16OptimWrapper
) -> None:
    before = linear.weight.detach().clone()

    with wrapper.optim_context(linear):
        loss = linear(torch.ones(1, 4)).float().sum()
    wrapper.update_params(loss)

    assert linear.weight.dtype == torch.float32
    assert torch.allclose(linear.weight, before - 0.1)


def test_state_is_that_of_the_plain_wrapper(wrapper: Bfloat16OptimWrapper) -> None:
    assert 'loss_scaler' not in wrapper.state_dict()
