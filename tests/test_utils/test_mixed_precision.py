# Copyright (c) onestage_pose contributors.
from onestage_pose.utils import mixed_precision
from onestage_pose.utils.mixed_precision import can_autocast

import pytest
import torch


@pytest.fixture
def warnings(monkeypatch):
    """What is logged."""
    logged = []
    monkeypatch.setattr(mixed_precision, 'print_log', lambda *a, **k: logged.append(a))
    can_autocast.cache_clear()
    yield logged
    can_autocast.cache_clear()


@pytest.mark.parametrize(
    ('device_type', 'dtype', 'has_bfloat16', 'expected'),
    [
        ('cuda', torch.float16, False, True),
        ('cuda', torch.bfloat16, False, True),
        ('cpu', torch.bfloat16, True, True),
        ('cpu', torch.bfloat16, False, False),
        ('cpu', torch.float16, True, False),
        ('mps', torch.bfloat16, True, False),
    ],
)
def test_a_cpu_needs_the_instructions(
    monkeypatch, warnings, device_type, dtype, has_bfloat16, expected
):
    monkeypatch.setattr(mixed_precision, 'cpu_has_bfloat16', lambda: has_bfloat16)
    assert can_autocast(device_type, dtype, 'predicts') == expected
    assert bool(warnings) != expected


def test_the_warning_comes_once_and_says_what_is_done_instead(monkeypatch, warnings):
    monkeypatch.setattr(mixed_precision, 'cpu_has_bfloat16', lambda: False)
    for _ in range(2):
        can_autocast('cpu', torch.bfloat16, 'trains')
    ((message,),) = warnings
    assert 'bfloat16: trains in float32' in message
