# Copyright (c) onestage_pose contributors.
"""The schedules' learning rates are Detectron2's, iteration for iteration."""

from bisect import bisect_right
from pathlib import Path

import onestage_pose  # noqa: F401

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

SCHEDULES = Path(__file__).parents[2] / 'configs/_base_/schedules'


def detectron2_rate(iteration: int, base: float, steps: list[int]) -> float:
    """WarmupMultiStepLR with a linear warm-up of 1000 iterations from 0.001."""
    progress = min(iteration / 1000, 1)
    warm_up = 0.001 * (1 - progress) + progress
    return base * warm_up * 0.1 ** bisect_right(steps, iteration)


@pytest.mark.parametrize(
    'name, base, steps, iterations, pictures',
    [
        ('schedule_1x', 0.02, [60000, 80000], 90000, 16),
        ('schedule_3x', 0.02, [210000, 250000], 270000, 16),
        ('schedule_3x_1xb2', 0.0025, [1680000, 2000000], 2160000, 2),
    ],
)
def test_schedule_is_detectron2s(
    name: str, base: float, steps: list[int], iterations: int, pictures: int
) -> None:
    cfg = Config.fromfile(SCHEDULES / f'{name}.py')
    weight = torch.nn.Parameter(torch.zeros(1))
    options = dict(cfg.optim_wrapper.optimizer)
    assert options.pop('type') == 'SGD'
    optimizer = torch.optim.SGD([weight], **options)
    schedulers = [
        PARAM_SCHEDULERS.build(item, default_args=dict(optimizer=optimizer))
        for item in cfg.param_scheduler
    ]
    rates = []
    for _ in range(1002):
        rates.append(optimizer.param_groups[0]['lr'])
        for scheduler in schedulers:
            scheduler.step()

    expected = [detectron2_rate(i, base, steps) for i in range(1002)]
    assert rates == pytest.approx(expected)
    assert list(cfg.param_scheduler[1].milestones) == steps
    assert cfg.train_cfg.max_iters == iterations
    assert cfg.auto_scale_lr.base_batch_size == pictures


def test_rate_falls_at_the_iteration_of_a_step() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = PARAM_SCHEDULERS.build(
        dict(type='MultiStepLR', by_epoch=False, milestones=[3], gamma=0.1),
        default_args=dict(optimizer=optimizer),
    )
    rates = []
    for _ in range(5):
        rates.append(optimizer.param_groups[0]['lr'])
        scheduler.step()

    assert rates == pytest.approx(
        [detectron2_rate(i + 1000, 1, [1003]) for i in range(5)]
    )
