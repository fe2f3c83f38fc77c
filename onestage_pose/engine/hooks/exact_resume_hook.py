# Copyright (c) onestage_pose contributors.
import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dist import get_dist_info, get_rank
from mmengine.hooks import Hook
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS
from torch.utils.data import BatchSampler, DataLoader, Dataset


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Resume a run exactly as if it had not been interrupted.

    A checkpoint of mmengine 0.10.7 keeps neither the state of the random
    generators nor the position in the data. This hook needs nothing kept:

    - The generators of Python, numpy and torch are seeded anew for every
      image, from (the run's seed, batch, position in the batch of all processes
      together), and for every training step, from (seed, rank, iteration). So
      neither the number of dataloader workers or processes nor what each has
      loaded before changes an augmentation, and validation in between changes
      nothing.
    - The data continue at the next batch in the sequence of indices, in the middle
      of an epoch too. mmengine gets there by loading and transforming every
      image that has been trained on, hours of work after some 100,000
      iterations.
    - The sampler takes over the interrupted run's seed where the config has none.

    The weights are then bit-for-bit the same if the operators are deterministic, as
    they are on a CPU with a fixed number of threads.
    """

    def before_train(self, runner: Runner) -> None:
        """Move the data to the run's next batch."""
        loop = runner.train_loop
        if not isinstance(runner.cfg.get('train_dataloader'), dict):
            # Built by the caller: there is no config to build another from.
            return
        loop.dataloader = _exact_dataloader(runner)
        if isinstance(loop, IterBasedTrainLoop):
            # mmengine steps over the batches that were trained on.
            skipped = itertools.repeat(None, loop.iter)
            batches = iter(loop.dataloader)
            loop.dataloader_iterator = itertools.chain(skipped, batches)

    def after_train(self, runner: Runner) -> None:
        """Release the data iterator, and with it the workers that read ahead."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            runner.train_loop.dataloader_iterator = iter(())

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any | None = None
    ) -> None:
        """Seed the generators for a training step."""
        _seed_generators(runner.seed, get_rank(), runner.iter)


class _Draw(NamedTuple):
    """An image that is asked for, and when in the run.

    Attributes:
        index (int): Which image of the data set.
        batch (int): Number of the batch, from 0 at the beginning of the run.
        position (int): Position in the batch of all processes together: mmengine's
            samplers deal images out to the processes by turns.
    """

    index: int
    batch: int
    position: int


class _SeededImages(Dataset):
    """A dataset whose images depend on when they are drawn, and on nothing else.

    All other attributes are the wrapped dataset's.
    """

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, draw: _Draw) -> Any:
        _seed_generators(self.seed, draw.batch, draw.position)
        return self.dataset[draw.index]

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__') or name == 'dataset':
            # Asked by pickle, before there is a dataset.
            raise AttributeError(name)
        return getattr(self.dataset, name)


class _DrawnBatches:
    """Batches of draws, from a loop's next one: a batch sampler for a DataLoader.

    Endless for a loop that counts iterations, else the rest of the loop's epoch.
    """

    def __init__(self, batches: BatchSampler, loop: BaseLoop) -> None:
        self._batches = batches
        self._loop = loop

    @property
    def sampler(self) -> Iterable[int]:
        return self._batches.sampler

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[_Draw]]:
        if isinstance(self._loop, IterBasedTrainLoop):
            passes = map(self._pass, itertools.count())
            batches, first = itertools.chain.from_iterable(passes), 0
        else:
            batches = self._pass(self._loop.epoch)
            first = self._loop.epoch * len(self)
        numbered = enumerate(batches, start=first)
        rest = itertools.islice(numbered, self._loop.iter - first, None)
        rank, world_size = get_dist_info()
        for number, indices in rest:
            positions = itertools.count(rank, world_size)
            yield [_Draw(index, number, at) for index, at in zip(indices, positions)]

    def _pass(self, epoch: int) -> Iterator[list[int]]:
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)
        return iter(self._batches)


def _exact_dataloader(runner: Runner) -> DataLoader:
    """Build a second dataloader over the same data, from the run's next batch."""
    old = runner.train_dataloader
    return DataLoader(
        _SeededImages(old.dataset, runner.seed),
        batch_sampler=_DrawnBatches(_fresh_batch_sampler(runner), runner.train_loop),
        num_workers=old.num_workers,
        collate_fn=old.collate_fn,
        pin_memory=old.pin_memory,
        timeout=old.timeout,
        worker_init_fn=old.worker_init_fn,
        multiprocessing_context=old.multiprocessing_context,
        generator=old.generator,
        prefetch_factor=old.prefetch_factor,
        persistent_workers=old.persistent_workers,
    )


def _fresh_batch_sampler(runner: Runner) -> BatchSampler:
    # Not the old one: its workers have drawn batches ahead, and neither
    # InfiniteSampler nor AspectRatioBatchSampler can be wound back.
    cfg = runner.cfg.train_dataloader
    own_seeds = runner.cfg.get('randomness', {}).get('diff_rank_seed', False)
    sampler = DATA_SAMPLERS.build(
        cfg.sampler,
        default_args=dict(
            dataset=runner.train_dataloader.dataset,
            seed=None if own_seeds else runner.seed,
        ),
    )
    if cfg.get('batch_sampler') is None:
        return BatchSampler(sampler, cfg.batch_size, cfg.get('drop_last', False))
    return DATA_SAMPLERS.build(
        cfg.batch_sampler, default_args=dict(sampler=sampler, batch_size=cfg.batch_size)
    )


def _seed_generators(*words: int) -> None:
    words = np.random.SeedSequence(words).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.manual_seed(int(words[2]))
