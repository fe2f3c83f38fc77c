# Copyright (c) onestage_pose contributors.
"""A resumed run ends where the uninterrupted one does, bit for bit."""

from pathlib import Path
from typing import Any

from onestage_pose.utils import get_config_path

import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader

from tests.tool_runs import run_tool
from tests.toy_pose import write_config

EPOCHS = dict(
    train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=1),
    default_hooks__checkpoint__max_keep_ckpts=-1,
)
ITERATIONS = dict(
    train_cfg=dict(
        _delete_=True, type='IterBasedTrainLoop', max_iters=8, val_interval=3
    ),
    log_processor__by_epoch=False,
    default_hooks__checkpoint=dict(by_epoch=False, interval=5),
)
ENDLESS = dict(train_dataloader__sampler=dict(type='InfiniteSampler', shuffle=True))
GROUPED = dict(
    train_dataloader__batch_sampler=dict(type='mmdet.AspectRatioBatchSampler')
)
EMA = dict(
    custom_hooks=[
        dict(type='SyncBuffersHook'),
        dict(
            type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.3, update_buffers=True
        ),
    ]
)
WORKERS = dict(train_dataloader__num_workers=2)


def contents(checkpoint: Path) -> dict:
    loaded = CheckpointLoader.load_checkpoint(str(checkpoint), 'cpu', 'silent')
    # The timers' histories differ, and the texts that hold the folder's name.
    loaded['message_hub'] = {
        key: buffer.data
        for key, buffer in loaded['message_hub']['log_scalars'].items()
        if 'time' not in key
    }
    loaded['meta'] = {key: loaded['meta'][key] for key in ('epoch', 'iter', 'seed')}
    return loaded


def assert_same(one: Any, other: Any, path: str = '') -> None:
    assert type(one) is type(other), path
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            assert_same(one[key], other[key], f'{path}.{key}')
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for index, pair in enumerate(zip(one, other)):
            assert_same(*pair, f'{path}.{index}')
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other), path
    elif isinstance(one, np.ndarray):
        assert np.array_equal(one, other), path
    else:
        assert one == other, path


def train_and_resume(config: Path, folder: Path, interrupted: str, *words: Any) -> None:
    """Trains into ``folder/whole``, and from a checkpoint of it ``folder/resumed``."""
    whole, resumed = folder / 'whole', folder / 'resumed'
    run_tool('train', config, '--work-dir', whole, *words)
    run_tool(
        'train',
        config,
        '--work-dir',
        resumed,
        '--resume',
        whole / interrupted,
        *words,
    )


@pytest.mark.parametrize(
    'options, interrupted, last',
    [
        pytest.param(EPOCHS, 'epoch_2.pth', 'epoch_4.pth', id='epochs'),
        pytest.param(
            {**EPOCHS, 'randomness': dict(seed=None)},
            'epoch_2.pth',
            'epoch_4.pth',
            id='epochs-random-seed',
        ),
        pytest.param(
            {**EPOCHS, **WORKERS}, 'epoch_2.pth', 'epoch_4.pth', id='epochs-workers'
        ),
        pytest.param({**EPOCHS, **EMA}, 'epoch_2.pth', 'epoch_4.pth', id='epochs-ema'),
        pytest.param(ITERATIONS, 'iter_5.pth', 'iter_8.pth', id='iterations'),
        pytest.param(
            {**ITERATIONS, 'randomness': dict(seed=None)},
            'iter_5.pth',
            'iter_8.pth',
            id='iterations-random-seed',
        ),
        pytest.param(
            {**ITERATIONS, **ENDLESS}, 'iter_5.pth', 'iter_8.pth', id='endless'
        ),
        pytest.param(
            {**ITERATIONS, **GROUPED}, 'iter_5.pth', 'iter_8.pth', id='grouped'
        ),
        pytest.param(
            {**ITERATIONS, **ENDLESS, **GROUPED, **EMA},
            'iter_5.pth',
            'iter_8.pth',
            id='endless-grouped-ema',
        ),
    ],
)
def test_resumed_run_equals_uninterrupted_run(
    tmp_path: Path, options: dict, interrupted: str, last: str
) -> None:
    config = write_config(tmp_path, **options)

    train_and_resume(config, tmp_path, interrupted)

    whole, resumed = contents(tmp_path / 'whole' / last), tmp_path / 'resumed' / last
    assert_same(whole, contents(resumed))


@pytest.mark.slow
def test_keypoint_rcnn_resumes_exactly(tmp_path: Path) -> None:
    config = get_config_path('gcm-keypoint-rcnn_r18-w32_fpn_synthetic')

    train_and_resume(
        config,
        tmp_path,
        'iter_2.pth',
        '--no-validate',
        '--cfg-options',
        'train_cfg.max_iters=4',
        'default_hooks.checkpoint.interval=2',
        'default_hooks.checkpoint.save_best=None',
        'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_dataloader.dataset.num_images=20',
        'train_dataloader.dataset.img_size=(128,128)',
    )

    whole = contents(tmp_path / 'whole/iter_4.pth')
    assert_same(whole, contents(tmp_path / 'resumed/iter_4.pth'))
