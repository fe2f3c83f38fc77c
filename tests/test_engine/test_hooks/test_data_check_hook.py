# Copyright (c) onestage_pose contributors.
"""A dataloader that yields no batch is an error before anything is trained."""

from collections.abc import Callable
from pathlib import Path

from onestage_pose.utils.errors import ConfigValueError

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from tests.tool_runs import clear_global_state, run_tool
from tests.toy_pose import ToyModel, ToyPictures, write_config

BY_ITERATION = dict(
    train_cfg=dict(
        _delete_=True, type='IterBasedTrainLoop', max_iters=2, val_interval=2
    ),
    log_processor__by_epoch=False,
    default_hooks__checkpoint=dict(by_epoch=False, interval=2),
)
TOO_FEW = dict(batch_size=64, drop_last=True)
ENDLESS = dict(_delete_=True, type='InfiniteSampler', shuffle=True)


def loader(mode: str, **options: object) -> dict:
    return {f'{mode}_dataloader__{name}': value for name, value in options.items()}


def test_training_of_fewer_images_than_a_batch_ends(start: Callable) -> None:
    run = start(**loader('train', **TOO_FEW, num_workers=2))

    assert run.wait() == 1
    assert run.output.endswith(
        'Error: train_dataloader yields no batch: 6 images, batches of 64, and '
        'train_dataloader.drop_last=True leaves out a batch that is not full. Set '
        'train_dataloader.batch_size to at most 6, or train_dataloader.drop_last='
        'False, or give it more images.\n'
    )
    run.wait_for_group()


def test_test_of_fewer_images_than_a_batch_ends(
    start: Callable, tmp_path: Path
) -> None:
    weights = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=ToyModel().state_dict()), weights)

    run = start(tool='test', words=(weights,), **loader('test', **TOO_FEW))

    assert run.wait() == 1
    assert 'Error: test_dataloader yields no batch: 5 images, batches of' in run.output


def test_more_processes_than_images_end(start: Callable) -> None:
    sampler = dict(type='DefaultSampler', shuffle=False, round_up=False)
    runs = start(processes=2, **loader('val', sampler=sampler, dataset__num_images=1))

    # the one that has an image, too, which would wait for the other
    assert [run.wait() for run in runs] == [1, 1]
    for run in runs:
        assert (
            'Error: val_dataloader yields no batch: 1 image, batches of 2, 2 '
            'processes, 1 of them without a batch. Start at most 1 process, or give it '
            'more images.'
        ) in run.output


@pytest.mark.parametrize(
    'options, message',
    [
        pytest.param(
            loader('train', **TOO_FEW), 'train_dataloader yields no batch', id='epochs'
        ),
        pytest.param(
            loader('train', dataset__num_images=0),
            'train_dataloader: its data set holds no image',
            id='no-image',
        ),
        pytest.param(
            {
                **BY_ITERATION,
                **loader(
                    'train', dataset__num_images=0, sampler=ENDLESS, num_workers=2
                ),
            },
            'train_dataloader: its data set holds no image.* loosen filter_cfg',
            id='no-image-endless',
        ),
        pytest.param(
            {
                **BY_ITERATION,
                # Two upright images and four wide ones, of which none fill a batch,
                # though the sampler says that it has one.
                **loader(
                    'train',
                    batch_size=6,
                    batch_sampler=dict(
                        type='mmdet.AspectRatioBatchSampler', drop_last=True
                    ),
                ),
            },
            'yields no batch: 6 images, batches of 6, and train_dataloader.'
            'batch_sampler.drop_last=True .*batch_size to less',
            id='no-batch-of-one-aspect-ratio',
        ),
        pytest.param(
            loader('val', **TOO_FEW), 'val_dataloader yields no batch', id='validation'
        ),
        pytest.param(
            loader('train', sampler=ENDLESS),
            'train_dataloader never ends, and so no epoch does: its sampler Infinite.*'
            'DefaultSampler", shuffle=True.*train_cfg.by_epoch=False',
            id='endless-epoch',
        ),
        pytest.param(
            {**BY_ITERATION, **loader('val', sampler=ENDLESS)},
            'val_dataloader never ends, and so no evaluation does.*shuffle=False',
            id='endless-evaluation',
        ),
    ],
)
def test_loader_that_cannot_serve_is_an_error_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict, message: str
) -> None:
    steps: list = []
    monkeypatch.setattr(ToyModel, 'train_step', lambda *args, **kw: steps.append(args))

    with pytest.raises(ConfigValueError, match=message):
        run_tool('train', write_config(tmp_path, **options))

    assert not steps


def test_endless_sampler_fills_a_batch_with_few_images(tmp_path: Path) -> None:
    # Its length, 6, is less than a batch; it goes round and round.
    options = loader('train', sampler=ENDLESS, batch_size=8, drop_last=True)

    run_tool('train', write_config(tmp_path, **BY_ITERATION, **options))

    assert (tmp_path / 'work' / 'iter_2.pth').is_file()


def test_run_without_the_tools_is_checked_by_the_hook(tmp_path: Path) -> None:
    clear_global_state()
    config = write_config(tmp_path, **BY_ITERATION, **loader('train', **TOO_FEW))
    runner = Runner.from_cfg(Config.fromfile(config))

    with pytest.raises(ConfigValueError, match='yields no batch: 6 images'):
        runner.train()


def test_loader_that_the_caller_built_is_checked_by_its_length(tmp_path: Path) -> None:
    clear_global_state()
    runner = Runner.from_cfg(Config.fromfile(write_config(tmp_path, **BY_ITERATION)))
    runner.cfg.pop('train_dataloader')
    runner._train_dataloader = DataLoader(ToyPictures(6), **TOO_FEW)

    with pytest.raises(ConfigValueError, match='yields no batch: 6 images'):
        runner.train()


def test_batches_that_are_tried_are_not_taken_from_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    step = ToyModel.train_step

    def train_step(self: ToyModel, data: dict, **kwargs: object) -> dict:
        seen.extend(sample.img_id for sample in data['data_samples'])
        return step(self, data, **kwargs)

    monkeypatch.setattr(ToyModel, 'train_step', train_step)
    options = loader('train', sampler=dict(ENDLESS, shuffle=False))

    clear_global_state()
    cfg = Config.fromfile(write_config(tmp_path, **BY_ITERATION, **options))
    # which draws from samplers of its own
    del cfg.default_hooks.exact_resume
    Runner.from_cfg(cfg).train()

    assert seen == [0, 1, 2, 3]
