# Copyright (c) onestage_pose contributors.
"""An operator that a device does not have runs on the CPU, and a line says so."""

from onestage_pose.ops import cpu_fallback
from onestage_pose.ops.cpu_fallback import call_operator

import pytest
import torch


class OnMPS(torch.Tensor):
    """A tensor that says it is on an Apple GPU, of which there is none here."""

    device = property(lambda self: torch.device('mps'))

    def cpu(self):
        return self.as_subclass(torch.Tensor)


class Result:
    """Remembers where it was brought."""

    def to(self, device):
        self.device = device
        return self


def only_on_cpu(tensor, factor):
    """An operator without a kernel for Apple's GPUs."""
    if isinstance(tensor, OnMPS):
        raise NotImplementedError('not currently implemented for the MPS device')
    result = Result()
    result.value = tensor.sum().item() * factor
    return result


@pytest.fixture
def lines(monkeypatch):
    """What is logged."""
    lines = []
    cpu_fallback._log_once.cache_clear()
    monkeypatch.setattr(
        cpu_fallback, 'print_log', lambda line, **options: lines.append(line)
    )
    yield lines
    cpu_fallback._log_once.cache_clear()


def test_missing_operator_runs_on_the_cpu_and_its_result_comes_back(lines):
    result = call_operator(only_on_cpu, torch.ones(3).as_subclass(OnMPS), 2)

    assert (result.value, result.device) == (6, torch.device('mps'))


def test_one_line_says_so(lines):
    for _ in range(2):
        call_operator(only_on_cpu, torch.ones(3).as_subclass(OnMPS), 2)

    assert len(lines) == 1
    assert 'missing for mps and runs on the CPU' in lines[0]


def test_operator_that_is_there_is_called_where_the_tensor_is(lines):
    assert call_operator(torch.add, torch.ones(1), 1).item() == 2
    assert lines == []


def test_operator_that_nobody_has_is_an_error(lines):
    def missing(tensor):
        raise NotImplementedError('nowhere')

    with pytest.raises(NotImplementedError, match='nowhere'):
        call_operator(missing, torch.ones(1))
