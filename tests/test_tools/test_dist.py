# Copyright (c) onestage_pose contributors.
"""tools/dist_*.sh: two processes train and test together on a CPU."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.utils.paths import get_config_path, get_data_root

import pytest
import torch

from tests.tool_runs import REPOSITORY, run_tool
from tests.toy_pose import ToyModel, write_config

pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='bash scripts')


def run_script(name: str, *words: Any) -> subprocess.CompletedProcess:
    """Runs a script of tools/ without GPUs, and gives its output as one text."""
    environment = {
        **os.environ,
        'CUDA_VISIBLE_DEVICES': '-1',
        'OMP_NUM_THREADS': '1',
        'PYTHON': sys.executable,
    }
    for variable in ('LOCAL_RANK', 'RANK', 'WORLD_SIZE', 'PORT', 'NNODES'):
        environment.pop(variable, None)
    return subprocess.run(
        ['bash', str(REPOSITORY / 'tools' / name), *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_two_processes_train_evaluate_and_write_one_checkpoint(tmp_path: Path) -> None:
    # Evaluated on 5 pictures, which two processes cannot share evenly.
    config = write_config(tmp_path, train_cfg__max_epochs=1)

    run = run_script('dist_train.sh', config, 2)

    assert run.returncode == 0, run.stdout
    assert 'coco/pictures: 5' in run.stdout
    assert 'Epoch(train) [1][2/2]' in run.stdout  # 6 pictures: 2 batches of 2, each
    checkpoints = [path.name for path in (tmp_path / 'work').glob('epoch_*.pth')]
    assert checkpoints == ['epoch_1.pth']


@pytest.mark.slow
def test_two_processes_train_keypoint_rcnn(tmp_path: Path) -> None:
    config = get_config_path('gcm-keypoint-rcnn_r18-w32_fpn_synthetic')

    run = run_script(
        'dist_train.sh',
        config,
        2,
        '--work-dir',
        tmp_path,
        '--cfg-options',
        'train_cfg.max_iters=2',
        'train_cfg.val_interval=2',
        'train_dataloader.batch_size=1',
        'train_dataloader.dataset.num_images=8',
        'train_dataloader.dataset.img_size=(128,128)',
        'val_dataloader.dataset.num_images=3',
        'val_dataloader.dataset.img_size=(128,128)',
        'default_hooks.logger.interval=1',
    )

    assert run.returncode == 0, run.stdout
    assert 'Iter(train) [2/2]' in run.stdout
    assert 'coco/AP:' in run.stdout


@pytest.mark.slow
def test_two_processes_test_together(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    weights, out = tmp_path / 'weights.pth', tmp_path / 'metrics.json'
    torch.save(dict(state_dict=ToyModel().state_dict()), weights)

    run = run_script('dist_test.sh', config, weights, 2, '--out', out)

    assert run.returncode == 0, run.stdout
    assert json.loads(out.read_text())['coco/pictures'] == 5


@pytest.mark.slow
def test_two_processes_measure_what_one_does(tmp_path: Path) -> None:
    # Five pictures: mmengine's sampler gives one of the processes a sixth.
    config = get_config_path('gcm-keypoint-rcnn_r18-w32_fpn_synthetic')
    weights = get_data_root() / (
        'projects/synthetic_people/weights/gcm-keypoint-rcnn_r18-w32_fpn_synthetic.pth'
    )
    words = ['--work-dir', tmp_path, '--cfg-options']
    words += ['test_dataloader.dataset.num_images=5']
    shared = run_script(
        'dist_test.sh', config, weights, 2, '--out', tmp_path / 'two.json', *words
    )

    run_tool('test', config, weights, '--out', tmp_path / 'one.json', *words)

    assert shared.returncode == 0, shared.stdout
    one, two = (
        json.loads((tmp_path / f'{name}.json').read_text()) for name in ('one', 'two')
    )
    assert one['coco/AP'] > 0.2
    assert two == one


@pytest.mark.slow
@pytest.mark.parametrize(
    'killed, message',
    [(False, 'the process of rank 1 dies'), (True, r'rank\s*: 1 (.|\n)*Signal 9')],
    ids=['error', 'killed'],
)
def test_process_that_dies_ends_the_other(
    tmp_path: Path, killed: bool, message: str
) -> None:
    # The other one waits for its gradients and would wait for half an hour.
    config = write_config(tmp_path, model__dies_on_rank=1, model__killed=killed)

    run = run_script('dist_train.sh', config, 2)

    assert run.returncode != 0
    assert re.search(message, run.stdout)


@pytest.mark.slow
def test_two_processes_save_and_end_on_sigterm(tmp_path: Path) -> None:
    # To the launcher, which passes it on to their dataloader workers, too.
    config = write_config(
        tmp_path,
        model__sigterm_at=2,
        train_cfg__max_epochs=50,
        train_dataloader__num_workers=2,
        train_dataloader__persistent_workers=True,
    )

    run = run_script('dist_train.sh', config, 2)

    assert run.returncode != 0
    ended = re.search(r'ended by SIGTERM after iteration (\d+)', run.stdout)
    assert ended, run.stdout
    # A run that the signal meets in its evaluation has saved the epoch before it.
    saved = Path((tmp_path / 'work/last_checkpoint').read_text())
    assert load_from_local(str(saved))['meta']['iter'] == int(ended[1])


@pytest.mark.parametrize('name', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh'])
def test_script_without_arguments_says_how_it_is_used(name: str) -> None:
    run = run_script(name)

    assert run.returncode == 2
    assert f'{name} ' in run.stdout


@pytest.mark.parametrize('processes', ['two', '0', '-1', ''])
def test_number_of_processes_is_checked(processes: str) -> None:
    run = run_script('dist_train.sh', 'config.py', processes)

    assert run.returncode == 2
    assert f"'{processes}' is not a number of processes" in run.stdout


@pytest.mark.parametrize(
    'script, words, command',
    [
        (
            'slurm_train.sh',
            ['part', 'job', 'a config.py', 'work', '--amp'],
            ['tools/train.py', 'a config.py', '--work-dir=work', '--launcher=slurm']
            + ['--amp'],
        ),
        (
            'slurm_test.sh',
            ['part', 'job', 'c.py', 'w.pth', '--cfg-options', 'a="[1, 2]"'],
            ['tools/test.py', 'c.py', 'w.pth', '--launcher=slurm', '--cfg-options']
            + ['a="[1, 2]"'],
        ),
    ],
)
def test_slurm_script_gives_srun_the_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    words: list[str],
    command: list[str],
) -> None:
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n')
    srun.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv('GPUS', '4')
    monkeypatch.setenv('GPUS_PER_NODE', '2')

    run = run_script(script, *words)

    given = [line[1:-1] for line in run.stdout.splitlines() if line.startswith('<')]
    for option in ('--job-name=job', '--ntasks=4', '--ntasks-per-node=2'):
        assert option in given
    assert '--gres=gpu:2' in given
    start = given.index('-u') + 1
    assert given[start].endswith(command[0])
    assert given[start + 1 :] == command[1:]
