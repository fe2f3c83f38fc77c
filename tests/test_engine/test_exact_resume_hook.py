# Copyright (c) onestage_pose contributors.
"""The place in the data is found again without loading what was trained on.

That a resumed run ends with the same weights is test_tools/test_resume.py's claim.
"""

import itertools
from types import SimpleNamespace
from typing import Any, Optional

from onestage_pose.engine import ExactResumeHook

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

DEFAULT = dict(type='DefaultSampler', shuffle=True)
ENDLESS = dict(type='InfiniteSampler', shuffle=True)
GROUPED = dict(type='mmdet.AspectRatioBatchSampler')


class Pictures(torch.utils.data.Dataset):
    """Gives (its index, a random number), and counts what is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 7

    def get_data_info(self, index: int) -> dict:
        return dict(width=1 if index % 3 else 2, height=2)

    def __getitem__(self, index: int) -> tuple[int, float]:
        self.asked.append(index)
        return index, np.random.rand()


class ToyRunner(SimpleNamespace):
    @property
    def train_dataloader(self) -> torch.utils.data.DataLoader:
        return self.train_loop.dataloader


def runner_at(
    iteration: int,
    sampler: dict,
    batch_sampler: Optional[dict] = None,
    seed: int = 3,
    loop_kind: type = IterBasedTrainLoop,
    num_workers: int = 0,
) -> Any:
    """What the hook reads of a runner that has been brought to an iteration."""
    cfg = ConfigDict(batch_size=2, num_workers=num_workers, sampler=sampler)
    if batch_sampler is not None:
        cfg.batch_sampler = batch_sampler
    loader = Runner.build_dataloader({**cfg, 'dataset': Pictures()}, seed=seed)
    loop = loop_kind.__new__(loop_kind)
    loop.dataloader = loader
    loop.dataloader_iterator = iter(loader)
    loop._iter = iteration
    loop._epoch = 0
    return ToyRunner(
        train_loop=loop, seed=seed, epoch=0, cfg=ConfigDict(train_dataloader=cfg)
    )


def batches(runner: Any, count: int) -> list:
    """The next ``count`` batches of the loop after the hook has run."""
    ExactResumeHook().before_train(runner)
    iterator = iter(runner.train_loop.dataloader_iterator)
    return list(itertools.islice(iterator, count))


@pytest.mark.parametrize('num_workers', [0, 2])
@pytest.mark.parametrize('batch_sampler', [None, GROUPED], ids=['plain', 'grouped'])
@pytest.mark.parametrize('sampler', [DEFAULT, ENDLESS], ids=['default', 'endless'])
def test_resumed_batches_are_those_of_the_whole_run(
    sampler: dict, batch_sampler: Optional[dict], num_workers: int
) -> None:
    options = dict(batch_sampler=batch_sampler, num_workers=num_workers)
    whole = batches(runner_at(0, sampler, **options), 16)

    resumed = batches(runner_at(9, sampler, **options), 16)

    indices = [[batch[0] for batch in run[9:]] for run in (whole, resumed)]
    assert indices[0] == indices[1]


def test_random_numbers_are_those_of_the_whole_run() -> None:
    whole = batches(runner_at(0, DEFAULT), 16)

    resumed = batches(runner_at(9, DEFAULT), 16)

    assert resumed[9:] == whole[9:]


def test_nothing_that_was_trained_on_is_loaded_again() -> None:
    runner = runner_at(9, ENDLESS)

    skipped = batches(runner, 9)

    assert skipped == [None] * 9
    assert runner.train_dataloader.dataset.asked == []


def test_every_picture_is_seen_once_in_a_pass() -> None:
    # 4 batches of 2 in a pass over 7 pictures; the sampler repeats one.
    run = batches(runner_at(0, DEFAULT), 8)

    for one_pass in (run[:4], run[4:]):
        assert {int(index) for batch in one_pass for index in batch[0]} == set(range(7))


def test_sampler_of_an_epoch_loop_takes_the_seed_of_the_interrupted_run() -> None:
    runner = runner_at(0, DEFAULT, loop_kind=EpochBasedTrainLoop)
    runner.seed = 11

    ExactResumeHook().before_train(runner)

    sampler = runner.train_dataloader.batch_sampler.sampler
    assert isinstance(sampler, DefaultSampler)
    assert sampler.seed == 11


def test_epochs_differ_in_their_random_numbers() -> None:
    runner = runner_at(0, DEFAULT, loop_kind=EpochBasedTrainLoop)
    drawn = []
    for epoch in (0, 1, 0):
        runner.epoch = epoch
        ExactResumeHook().before_train_epoch(runner)
        drawn.append((np.random.rand(), float(torch.rand(1))))

    assert drawn[0] == drawn[2] != drawn[1]


def test_first_run_keeps_an_endless_samplers_dataloader() -> None:
    runner = runner_at(0, ENDLESS)
    before = runner.train_dataloader

    ExactResumeHook().before_train(runner)

    assert runner.train_dataloader is before
    assert isinstance(before.sampler, InfiniteSampler)


def test_dataloader_that_the_caller_built_is_left_alone() -> None:
    runner = runner_at(5, DEFAULT)
    runner.cfg = ConfigDict()
    before = runner.train_loop.dataloader_iterator

    ExactResumeHook().before_train(runner)

    assert runner.train_loop.dataloader_iterator is before
