# Copyright (c) onestage_pose contributors.
import functools
import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import IterBasedTrainLoop, Runner
from mmpose.registry import HOOKS
from torch.utils.data import BatchSampler, DataLoader


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Lets a resumed run go on exactly as the interrupted one would have.

    A checkpoint of mmengine 0.10.7 keeps neither the state of the random
    generators nor the place in the data. This hook needs nothing kept:

    - The generators of Python, numpy and torch are seeded afresh from (the run's
      seed, rank, step) at every step: an iteration of ``IterBasedTrainLoop``, an
      epoch of ``EpochBasedTrainLoop``. Validation in between changes nothing.
    - ``IterBasedTrainLoop`` goes on at its batch in the sequence of indices.
      mmengine gets there by loading and transforming every picture that has been
      trained on, hours of work after some 100,000 iterations.
    - The sampler takes over the interrupted run's seed where the config has none.

    The weights are then the same bit for bit where the operators are
    deterministic, with ``num_workers=0`` or, in ``EpochBasedTrainLoop``, workers
    that are not persistent. Other workers draw their augmentations from
    generators of their own; the pictures and their order are the same.
    """

    def before_train(self, runner: Runner) -> None:
        """Moves the data to where the run stands."""
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop):
            sampler = _sampler(loop.dataloader)
            if hasattr(sampler, 'seed'):
                sampler.seed = runner.seed
            return
        if not isinstance(runner.cfg.get('train_dataloader'), dict):
            # Built by the caller: there is no config to build another from.
            return
        # At the end of a pass over the data mmengine starts the dataloader again,
        # which takes two seconds and a random number; an endless one does not.
        if loop.iter > 0 or not isinstance(_sampler(loop.dataloader), InfiniteSampler):
            loop.dataloader = _dataloader_from(loop.iter, runner)
            loop.dataloader_iterator = iter(loop.dataloader)
        loop.dataloader_iterator = _SeededBatches(
            loop.dataloader_iterator, runner.seed, skip=loop.iter
        )

    def before_train_epoch(self, runner: Runner) -> None:
        """Seeds the generators for an epoch."""
        _seed_generators(runner.seed, runner.epoch)


class _SeededBatches:
    """Batches, each fetched and trained on with generators of its own seed.

    The first ``skip`` are None: they answer mmengine's loop, which steps over
    the batches that were trained on.
    """

    def __init__(self, batches: Iterator[Any], seed: int, skip: int) -> None:
        self._batches = batches
        self._seed = seed
        self._skip = skip
        self._step = 0

    def __iter__(self) -> '_SeededBatches':
        return self

    def __next__(self) -> Any:
        self._step += 1
        if self._step <= self._skip:
            return None
        _seed_generators(self._seed, self._step)
        return next(self._batches)


class _EndlessIndices:
    """Batches of indices, epoch after epoch, from a position in them on."""

    def __init__(self, batches: BatchSampler, position: int) -> None:
        self._batches = batches
        self._position = position

    @property
    def sampler(self) -> Iterable[int]:
        return self._batches.sampler

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        every = itertools.chain.from_iterable(map(self._epoch, itertools.count()))
        return itertools.islice(every, self._position, None)

    def _epoch(self, epoch: int) -> Iterator[list[int]]:
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)
        return iter(self._batches)


def _sampler(dataloader: DataLoader) -> Any:
    # DataLoader.sampler is a stand-in where there is a batch sampler.
    return getattr(dataloader.batch_sampler, 'sampler', None)


def _dataloader_from(position: int, runner: Runner) -> DataLoader:
    """A second dataloader over the same data, ``position`` batches further on."""
    old = runner.train_dataloader
    worker_init_fn = old.worker_init_fn
    if isinstance(worker_init_fn, functools.partial) and (
        'seed' in worker_init_fn.keywords
    ):
        # Or the workers would repeat the augmentations of the run's beginning.
        worker_init_fn = functools.partial(worker_init_fn, seed=runner.seed + position)
    return DataLoader(
        old.dataset,
        batch_sampler=_EndlessIndices(_fresh_batch_sampler(runner), position),
        num_workers=old.num_workers,
        collate_fn=old.collate_fn,
        pin_memory=old.pin_memory,
        timeout=old.timeout,
        worker_init_fn=worker_init_fn,
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


def _seed_generators(seed: int, step: int) -> None:
    words = np.random.SeedSequence((seed, get_rank(), step)).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.manual_seed(int(words[2]))
