# Copyright (c) onestage_pose contributors.
"""What is set before Runner joins several processes.

That they train and test together is test_tools/test_dist.py's claim.
"""

import os
from typing import Any

from onestage_pose.cli.distributed import prepare_dist

import pytest
import torch
from mmengine.config import Config

MODULE = 'onestage_pose.cli.distributed'


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The process groups that were asked for; none is made."""
    asked: list[dict] = []
    monkeypatch.setattr(
        'torch.distributed.init_process_group', lambda **options: asked.append(options)
    )
    return asked


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f'{MODULE}.get_device', lambda: 'cpu')
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        # Registers them with monkeypatch, which takes back what is set here.
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)


def config(launcher: str = 'pytorch', **more: Any) -> Config:
    return Config(dict(launcher=launcher, **more))


def set_pytorch_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dict(RANK='1', WORLD_SIZE='2', LOCAL_RANK='1').items():
        monkeypatch.setenv(name, value)


def test_single_process_changes_nothing(group: list[dict]) -> None:
    cfg = config('none')

    prepare_dist(cfg)

    assert 'model_wrapper_cfg' not in cfg
    assert not group


def test_cpu_processes_join_by_gloo_and_wrap_without_devices(
    cpu: None, group: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_pytorch_variables(monkeypatch)
    cfg = config(env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=60)))

    prepare_dist(cfg)

    assert [(item['backend'], item['timeout'].seconds) for item in group] == [
        ('gloo', 60)
    ]
    assert cfg.model_wrapper_cfg.type == 'MMDistributedDataParallel'
    assert cfg.model_wrapper_cfg.device_ids is None


def test_own_wrapper_is_kept(
    cpu: None, group: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_pytorch_variables(monkeypatch)
    cfg = config(model_wrapper_cfg=dict(type='Mine', find_unused_parameters=True))

    prepare_dist(cfg)

    assert cfg.model_wrapper_cfg == dict(
        type='Mine', find_unused_parameters=True, device_ids=None
    )


@pytest.mark.parametrize(
    'launcher, variables',
    [
        ('slurm', dict(SLURM_PROCID='3', SLURM_NTASKS='4', SLURM_LOCALID='1')),
        (
            'mpi',
            dict(
                OMPI_COMM_WORLD_RANK='3',
                OMPI_COMM_WORLD_SIZE='4',
                OMPI_COMM_WORLD_LOCAL_RANK='1',
            ),
        ),
    ],
)
def test_other_launchers_variables_are_understood(
    launcher: str,
    variables: dict,
    cpu: None,
    group: list[dict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv('MASTER_ADDR', 'first-host')

    prepare_dist(config(launcher))

    found = [os.environ[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')]
    assert found == ['3', '4', '1']


def test_launcher_without_its_variables_is_explained(
    cpu: None, group: list[dict]
) -> None:
    with pytest.raises(RuntimeError, match='RANK is not set.*tools/dist_train.sh'):
        prepare_dist(config())


def test_process_without_a_gpu_of_its_own_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f'{MODULE}.get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    monkeypatch.setenv('LOCAL_RANK', '1')

    with pytest.raises(RuntimeError, match='process 2 .* no GPU: 1 are visible'):
        prepare_dist(config())


def test_gpu_processes_are_left_to_mmengine(
    group: list[dict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f'{MODULE}.get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setenv('LOCAL_RANK', '1')
    cfg = config()

    prepare_dist(cfg)

    assert 'model_wrapper_cfg' not in cfg
    assert not group


def test_mpi_says_which_gpu_a_process_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f'{MODULE}.get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    # as argparse's default leaves it
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv('OMPI_COMM_WORLD_LOCAL_RANK', '1')

    prepare_dist(config('mpi'))

    assert os.environ['LOCAL_RANK'] == '1'
