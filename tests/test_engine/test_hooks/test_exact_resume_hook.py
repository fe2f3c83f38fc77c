# Copyright (c) onestage_pose contributors.
"""The place in the data is found again without loading what was trained on.

That a resumed run ends with the same weights is test_tools/test_resume.py's claim.
"""

import itertools
from types import SimpleNamespace
from typing import Any

from onestage_pose.engine.hooks import ExactResumeHook, exact_resume_hook

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.dataset import DefaultSampler
from mmengine.dataset import sampler as sampler_module
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
    batch_sampler: dict | None = None,
    seed: int = 3,
    loop_kind: type = IterBasedTrainLoop,
    num_workers: int = 0,
    batch_size: int = 2,
    epoch: int = 0,
) -> Any:
    """What the hook reads of a runner that has been brought to an iteration."""
    cfg = ConfigDict(batch_size=batch_size, num_workers=num_workers, sampler=sampler)
    if batch_sampler is not None:
        cfg.batch_sampler = batch_sampler
    loader = Runner.build_dataloader({**cfg, 'dataset': Pictures()}, seed=seed)
    loop = loop_kind.__new__(loop_kind)
    loop.dataloader = loader
    loop.dataloader_iterator = iter(loader)
    loop._iter = iteration
    loop._epoch = epoch
    return ToyRunner(
        train_loop=loop,
        seed=seed,
        iter=iteration,
        cfg=ConfigDict(train_dataloader=cfg),
    )


def batches(runner: Any, count: int) -> list:
    """The next ``count`` batches of the loop after the hook has run."""
    ExactResumeHook().before_train(runner)
    iterator = iter(runner.train_loop.dataloader_iterator)
    run = list(itertools.islice(iterator, count))
    return [batch and lists(batch) for batch in run]


def lists(batch: tuple) -> list:
    return [torch.as_tensor(part).tolist() for part in batch]


@pytest.mark.parametrize('num_workers', [0, 2])
@pytest.mark.parametrize('batch_sampler', [None, GROUPED], ids=['plain', 'grouped'])
@pytest.mark.parametrize('sampler', [DEFAULT, ENDLESS], ids=['default', 'endless'])
def test_resumed_batches_are_those_of_the_whole_run(
    sampler: dict, batch_sampler: dict | None, num_workers: int
) -> None:
    # Indices and random numbers.
    options = dict(batch_sampler=batch_sampler, num_workers=num_workers)
    whole = batches(runner_at(0, sampler, **options), 16)

    resumed = batches(runner_at(9, sampler, **options), 16)

    assert resumed[9:] == whole[9:]


def test_workers_do_not_change_the_random_numbers() -> None:
    alone = batches(runner_at(0, DEFAULT), 8)

    assert batches(runner_at(0, DEFAULT, num_workers=3), 8) == alone


def test_processes_do_not_change_the_random_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # One process sees batches of 4 pictures, two see batches of 2.
    [alone] = batches(runner_at(0, ENDLESS, batch_size=4), 1)
    shared = []
    for rank in range(2):
        for module in (exact_resume_hook, sampler_module):
            monkeypatch.setattr(module, 'get_dist_info', lambda rank=rank: (rank, 2))
        shared += batches(runner_at(0, ENDLESS), 1)

    together = [pair for batch in shared for pair in zip(*batch)]
    assert sorted(together) == sorted(zip(*alone))


def test_nothing_that_was_trained_on_is_loaded_again() -> None:
    runner = runner_at(9, ENDLESS)

    skipped = batches(runner, 9)

    assert skipped == [None] * 9
    assert runner.train_dataloader.dataset.asked == []


def test_every_picture_is_seen_once_in_a_pass() -> None:
    run = batches(runner_at(0, DEFAULT), 8)

    for one_pass in (run[:4], run[4:]):
        assert {int(index) for batch in one_pass for index in batch[0]} == set(range(7))


def test_pictures_of_another_pass_have_other_random_numbers() -> None:
    run = batches(runner_at(0, DEFAULT), 8)

    numbers = {float(number) for batch in run for number in batch[1]}
    assert len(numbers) == 14


def epoch_batches(runner: Any) -> list:
    """What an epoch loop sees from where it stands to the end of the epoch."""
    ExactResumeHook().before_train(runner)
    batches = list(runner.train_dataloader)
    return [lists(batch) for batch in batches]


@pytest.mark.parametrize('num_workers', [0, 2])
def test_epoch_is_resumed_in_its_middle(num_workers: int) -> None:
    options = dict(loop_kind=EpochBasedTrainLoop, num_workers=num_workers)
    whole = epoch_batches(runner_at(4, DEFAULT, epoch=1, **options))

    resumed = epoch_batches(runner_at(6, DEFAULT, epoch=1, **options))

    assert len(whole) == 4
    assert resumed == whole[2:]


def test_sampler_takes_the_seed_of_the_interrupted_run() -> None:
    runner = runner_at(0, DEFAULT, loop_kind=EpochBasedTrainLoop)
    runner.seed = 11

    ExactResumeHook().before_train(runner)

    sampler = runner.train_dataloader.batch_sampler.sampler
    assert isinstance(sampler, DefaultSampler)
    assert sampler.seed == 11


def test_training_steps_differ_in_their_random_numbers() -> None:
    drawn = []
    for iteration in (0, 1, 0):
        runner = runner_at(iteration, DEFAULT)
        ExactResumeHook().before_train_iter(runner, batch_idx=0)
        drawn.append((np.random.rand(), float(torch.rand(1))))

    assert drawn[0] == drawn[2] != drawn[1]


def test_datasets_own_attributes_are_reached() -> None:
    runner = runner_at(0, DEFAULT)

    ExactResumeHook().before_train(runner)

    assert runner.train_dataloader.dataset.get_data_info(0) == dict(width=2, height=2)
    assert not hasattr(runner.train_dataloader.dataset, 'metainfo')


def test_dataloader_that_the_caller_built_is_left_alone() -> None:
    runner = runner_at(5, DEFAULT)
    runner.cfg = ConfigDict()
    before = runner.train_loop.dataloader_iterator

    ExactResumeHook().before_train(runner)

    assert runner.train_loop.dataloader_iterator is before
