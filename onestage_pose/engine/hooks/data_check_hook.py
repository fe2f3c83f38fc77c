# Copyright (c) onestage_pose contributors.
from collections.abc import Iterable, Sized
from typing import Any

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import all_gather, get_comm_device, get_dist_info
from mmengine.hooks import Hook
from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.datasets.samplers import MultiSourceSampler
from mmpose.registry import HOOKS
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler

from ...utils.errors import ConfigValueError

_MODES = ('train', 'val', 'test')
# They go round and round.
_ENDLESS = (InfiniteSampler, MultiSourceSampler)


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Stop a run before it starts if one of its dataloaders cannot work.

    A dataloader may yield no batch: without this hook, training by iterations then
    waits forever at full load, training by epochs ends silently, and an evaluation
    fails in a metric. Or it may never end although an epoch or an evaluation needs its
    end.

    Raises:
        ConfigValueError: The message names the dataloader, the numbers and what to
            change.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Check the dataloaders of the loops that are about to run."""
        for mode in _MODES:
            loader = getattr(getattr(runner, f'_{mode}_loop'), 'dataloader', None)
            if isinstance(loader, DataLoader):
                _check(runner, f'{mode}_dataloader', loader)


def check_dataloaders_when_built(runner: Runner) -> None:
    """Have a runner check each dataloader as soon as it is built.

    A program calls this before ``runner.train()``, which starts the workers of a
    training, and computes the length of a schedule, before any hook is asked.

    Args:
        runner: Whose loops are not built yet. Building them raises
            ``ConfigValueError`` where a dataloader yields no batch.
    """
    build = runner.build_dataloader

    def build_and_check(dataloader: Any, *args: Any, **kwargs: Any) -> DataLoader:
        loader = build(dataloader, *args, **kwargs)
        for mode in _MODES:
            name = f'{mode}_dataloader'
            if dataloader is getattr(runner, f'_{name}'):
                _check(runner, name, loader)
        return loader

    runner.build_dataloader = build_and_check


def _check(runner: Runner, name: str, loader: DataLoader) -> None:
    config = runner.cfg.get(name)
    if not isinstance(config, dict):
        config = {}
    sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
    if isinstance(sampler, _ENDLESS) and _is_used_up(runner, name):
        raise ConfigValueError(_explain_endless(name, sampler))
    yields = _yields_batch(loader, config, runner.seed)
    # All processes raise, for one that is waited for would not be heard of.
    flags = all_gather(torch.tensor(int(yields), device=get_comm_device()))
    empty = sum(int(flag) == 0 for flag in flags)
    if empty:
        raise ConfigValueError(_explain(name, loader, empty))


def _is_used_up(runner: Runner, name: str) -> bool:
    """Whether what runs over a loader waits for its end."""
    loop = runner._train_loop
    if name != 'train_dataloader':
        return True
    if not isinstance(loop, dict):
        return isinstance(loop, EpochBasedTrainLoop)
    kind = loop.get('type', '')
    by_epoch = getattr(kind, '__name__', kind) == EpochBasedTrainLoop.__name__
    return by_epoch or loop.get('by_epoch') is True


def _yields_batch(loader: DataLoader, config: dict[str, Any], seed: int) -> bool:
    dataset = loader.dataset
    if isinstance(dataset, IterableDataset) or not isinstance(dataset, Sized):
        # Only using it up would tell.
        return True
    if len(dataset) == 0:
        return False
    batches = _fresh_batches(config, dataset, seed)
    if batches is not None:
        return next(iter(batches), None) is not None
    if isinstance(getattr(loader.batch_sampler, 'sampler', None), _ENDLESS):
        # whose length is that of one pass of many
        return True
    try:
        return len(loader) > 0
    except TypeError:
        return True


def _fresh_batches(
    config: dict[str, Any], dataset: Sized, seed: int
) -> Iterable[list[int]] | None:
    """Return the batches of a loader that is configured, from samplers of their own.

    Trying those of the loader would take batches from the run; their lengths do not
    tell, since ``AspectRatioBatchSampler`` drops more than it counts, and the
    length of ``InfiniteSampler`` may be less than a batch of it.
    """
    kind, batch_kind = config.get('sampler'), config.get('batch_sampler')
    if not isinstance(kind, dict) or not isinstance(batch_kind, (dict, type(None))):
        return None
    sampler: Sampler = DATA_SAMPLERS.build(
        kind, default_args=dict(dataset=dataset, seed=seed)
    )
    batch_size = config.get('batch_size', 1)
    if batch_kind is None:
        return BatchSampler(sampler, batch_size, config.get('drop_last', False))
    return DATA_SAMPLERS.build(
        batch_kind, default_args=dict(sampler=sampler, batch_size=batch_size)
    )


def _explain(name: str, loader: DataLoader, empty: int) -> str:
    images = len(loader.dataset)
    if images == 0:
        return (
            f'{name}: its data set holds no image, so no batch ever comes. Correct '
            f'ann_file and data_root in {name}.dataset, or loosen filter_cfg, which '
            'may have left nothing.'
        )
    processes = get_dist_info()[1]
    batches = loader.batch_sampler
    size = getattr(batches, 'batch_size', loader.batch_size)
    facts = f'{_count(images, "image")}, batches of {size}'
    if processes > 1:
        facts += f', {processes} processes, {empty} of them without a batch'
    head = f'{name} yields no batch: {facts}'
    if images < processes:
        return (
            f'{head}. Start at most {_count(images, "process", "es")}, or give it '
            'more images.'
        )
    if getattr(batches, 'drop_last', False):
        place = name if type(batches) is BatchSampler else f'{name}.batch_sampler'
        share = images // processes
        smaller = f'at most {share}' if 0 < share < size else 'less'
        return (
            f'{head}, and {place}.drop_last=True leaves out a batch that is not full. '
            f'Set {name}.batch_size to {smaller}, or {place}.drop_last=False, or give '
            'it more images.'
        )
    sampler = type(getattr(batches, 'sampler', loader.sampler)).__name__
    return (
        f'{head}, and its sampler {sampler} draws none of them. Correct '
        f'{name}.sampler and {name}.batch_sampler.'
    )


def _explain_endless(name: str, sampler: Sampler) -> str:
    training = name == 'train_dataloader'
    what = 'no epoch' if training else 'no evaluation'
    other = ', or train by iterations: train_cfg.by_epoch=False' if training else ''
    return (
        f'{name} never ends, and so {what} does: its sampler {type(sampler).__name__} '
        f'goes round and round. Set {name}.sampler=dict(type="DefaultSampler", '
        f'shuffle={training}){other}.'
    )


def _count(number: int, noun: str, plural: str = 's') -> str:
    return f'{number} {noun}{"" if number == 1 else plural}'
