# Copyright (c) onestage_pose contributors.
"""SIGTERM saves, ends with 143, and takes nothing from the run."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onestage_pose.checkpoints import find_latest_checkpoint
from onestage_pose.cli.run import run_tool as run_as_a_program
from onestage_pose.engine.hooks import preemption_hook
from onestage_pose.utils import signals
from onestage_pose.utils.errors import PreemptedError

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner
from torch.utils.data import DataLoader

from tests.tool_runs import clear_global_state, run_tool
from tests.toy_hang import HANGS
from tests.toy_pose import ToyMetric, ToyModel, write_config

BY_ITERATION = dict(
    train_cfg=dict(
        _delete_=True, type='IterBasedTrainLoop', max_iters=6, val_interval=6
    ),
    log_processor__by_epoch=False,
    default_hooks__checkpoint=dict(by_epoch=False, interval=10),
)
BY_EPOCH = dict(train_cfg=dict(by_epoch=True, max_epochs=2, val_interval=1))
WORKERS = dict(train_dataloader__num_workers=2)
ACCUMULATED = dict(optim_wrapper__accumulative_counts=2)


@pytest.fixture
def sigterm(monkeypatch: pytest.MonkeyPatch):
    """Sends it at the n-th call of a method, from within."""

    def send(owner: type, name: str, at: int) -> None:
        method, calls = getattr(owner, name), []

        def called(*args: Any, **kwargs: Any) -> Any:
            calls.append(None)
            if len(calls) == at:
                os.kill(os.getpid(), signal.SIGTERM)
            return method(*args, **kwargs)

        monkeypatch.setattr(owner, name, called)

    stop_listening()
    before = signal.getsignal(signal.SIGTERM)
    yield send
    stop_listening()
    signal.signal(signal.SIGTERM, before)


def stop_listening() -> None:
    """Put back what a run that an error has ended listens with: it would end these
    tests, too.
    """
    if signals._listening is not None:
        signals._listening.stop()


def load(path: Path) -> dict:
    return CheckpointLoader.load_checkpoint(str(path), 'cpu', 'silent')


@pytest.mark.parametrize(
    'options, last, saved',
    [
        pytest.param(BY_ITERATION, 'iter_6.pth', 5, id='iterations'),
        pytest.param({**BY_ITERATION, **WORKERS}, 'iter_6.pth', 5, id='workers'),
        # the gradients of a half-done update would be lost
        pytest.param(
            {**BY_ITERATION, **ACCUMULATED}, 'iter_6.pth', 6, id='accumulated'
        ),
        # 3 batches an epoch: in the middle of the second
        pytest.param(BY_EPOCH, 'epoch_2.pth', 5, id='epochs'),
        pytest.param({**BY_EPOCH, **WORKERS}, 'epoch_2.pth', 5, id='epochs-workers'),
    ],
)
def test_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, sigterm: Any, options: dict, last: str, saved: int
) -> None:
    config = write_config(tmp_path, **options)
    whole, ended = tmp_path / 'whole', tmp_path / 'ended'
    run_tool('train', config, '--work-dir', whole)
    sigterm(ToyModel, 'train_step', at=5)

    with pytest.raises(PreemptedError, match=f'after iteration {saved}, .* --resume'):
        run_tool('train', config, '--work-dir', ended)
    state = load(ended / 'latest.pth')
    run_tool('train', config, '--work-dir', ended, '--resume')

    assert state['meta']['iter'] == saved
    one, other = load(whole / last), load(ended / last)
    for name, weight in one['state_dict'].items():
        assert torch.equal(weight, other['state_dict'][name]), name


def test_evaluation_ends_at_once(tmp_path: Path, sigterm: Any) -> None:
    config = write_config(tmp_path, **BY_ITERATION)
    sigterm(ToyModel, 'val_step', at=1)
    seen: list = []
    process = ToyMetric.process
    ToyMetric.process = lambda self, *args: seen.append(args)
    try:
        with pytest.raises(PreemptedError, match='after iteration 6'):
            run_tool('train', config)
    finally:
        ToyMetric.process = process

    assert len(seen) == 1
    assert load(tmp_path / 'work/iter_6.pth')['meta']['iter'] == 6


def test_handler_of_before_is_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    run_tool('train', write_config(tmp_path))

    assert signal.getsignal(signal.SIGTERM) is before


def test_run_without_the_safe_hook_is_left_alone(tmp_path: Path, sigterm: Any) -> None:
    heard: list = []
    signal.signal(signal.SIGTERM, lambda *args: heard.append(args))
    config = write_config(tmp_path, default_hooks__checkpoint__type='CheckpointHook')
    sigterm(ToyModel, 'train_step', at=1)

    run_tool('train', config)

    assert heard


def test_exit_status_says_so(capsys: pytest.CaptureFixture) -> None:
    def main(argv: Any) -> None:
        raise PreemptedError('ended by SIGTERM')

    with pytest.raises(SystemExit) as exit_:
        run_as_a_program(main)

    assert exit_.value.code == 143
    assert capsys.readouterr().err == 'ended by SIGTERM\n'


@pytest.mark.skipif(sys.platform != 'linux', reason='forks workers')
def test_workers_do_not_heed_it(tmp_path: Path, sigterm: Any) -> None:
    # A cluster signals every process of a job.
    config = write_config(tmp_path, **BY_ITERATION, **WORKERS)
    step, calls, alive = ToyModel.train_step, [], []
    others = set(multiprocessing.active_children())

    def signal_all(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(None)
        if len(calls) == 3:
            workers = set(multiprocessing.active_children()) - others
            for pid in [*(worker.pid for worker in workers), os.getpid()]:
                os.kill(pid, signal.SIGTERM)
            for worker in workers:
                worker.join(0.5)  # which returns at once where it has died
            alive.extend(worker.is_alive() for worker in workers)
        return step(self, *args, **kwargs)

    ToyModel.train_step = signal_all
    try:
        with pytest.raises(PreemptedError, match='after iteration 3'):
            run_tool('train', config)
    finally:
        ToyModel.train_step = step

    assert alive == [True, True]


@pytest.mark.parametrize('persistent', [True, False])
def test_workers_end_with_the_run(tmp_path: Path, persistent: bool) -> None:
    # and not when the runner is collected
    others = set(multiprocessing.active_children())
    config = write_config(
        tmp_path,
        **BY_ITERATION,
        **WORKERS,
        train_dataloader__persistent_workers=persistent,
        val_dataloader__num_workers=1,
        val_dataloader__persistent_workers=persistent,
    )

    clear_global_state()

    runner = Runner.from_cfg(Config.fromfile(config))
    runner.train()

    assert runner.iter == 6
    assert set(multiprocessing.active_children()) == others


def leave_a_shielded_worker_behind() -> None:
    shield = preemption_hook._ShieldedWorker(None)
    loader = DataLoader(range(4), num_workers=1, worker_init_fn=shield)
    batches = iter(loader)
    next(batches)
    # in a circle, as in a runner
    batches.circle = batches


@pytest.mark.skipif(sys.platform != 'linux', reason='forks workers')
def test_shielded_workers_let_a_process_of_multiprocessing_end() -> None:
    context = multiprocessing.get_context('fork')
    process = context.Process(target=leave_a_shielded_worker_behind)
    process.start()
    try:
        process.join(60)
        assert process.exitcode == 0
    finally:
        process.kill()


def test_state_is_found_where_checkpoints_go_elsewhere(
    tmp_path: Path, sigterm: Any
) -> None:
    elsewhere = str(tmp_path / 'elsewhere')
    config = write_config(
        tmp_path, **BY_ITERATION, default_hooks__checkpoint__out_dir=elsewhere
    )
    sigterm(ToyModel, 'train_step', at=2)
    with pytest.raises(PreemptedError):
        run_tool('train', config)

    found = find_latest_checkpoint(str(tmp_path / 'work'))
    assert found is not None and found.startswith(elsewhere)
    assert load(Path(found))['meta']['iter'] == 2


def test_no_process_leaves_before_the_state_is_saved(
    tmp_path: Path, sigterm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barrier() -> None:
        assert (tmp_path / 'work' / 'latest.pth').is_file()
        raise TimeoutError('waits for the others')

    monkeypatch.setattr(preemption_hook, 'barrier', barrier)
    sigterm(ToyModel, 'train_step', at=2)
    with pytest.raises(TimeoutError, match='waits'):
        run_tool('train', write_config(tmp_path, **BY_ITERATION))


def test_grace_period_has_to_be_positive() -> None:
    with pytest.raises(ValueError, match='grace_period=0 has to be above 0'):
        preemption_hook.PreemptionHook(grace_period=0)


def test_grace_period_ends_before_torchrun_kills(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'a run')

    assert preemption_hook.PreemptionHook().grace_period == 25


# What follows starts `tools/train.py` as a process. Where it hangs, it does so in C,
# where Python runs no handler of a signal, unless a test says otherwise.

SOON = dict(default_hooks__preemption__grace_period=1.0)
NOT_SOON = dict(default_hooks__preemption__grace_period=600.0)
ANY_IS_ANOTHER = dict(default_hooks__preemption__same_request=0.0)
FIRST_WORDS = 'SIGTERM: the state is saved after the iteration under way'


def saved_iterations(folder: Path) -> dict[str, int]:
    """The checkpoints of a folder, each of which can be loaded."""
    return {p.name: load(p)['meta']['iter'] for p in sorted(folder.glob('*.pth'))}


@pytest.mark.parametrize(
    'hang, options, last',
    [
        pytest.param(dict(place='forward', at=4), {}, 'iter_2.pth', id='forward'),
        pytest.param(
            dict(place='forward', at=4, in_c=False), {}, 'iter_2.pth', id='in-python'
        ),
        pytest.param(dict(place='backward', at=4), {}, 'iter_2.pth', id='backward'),
        pytest.param(dict(place='data', at=7), {}, 'iter_2.pth', id='data'),
        pytest.param(dict(place='data', at=2), WORKERS, None, id='worker'),
        pytest.param(dict(place='start'), {}, None, id='before-the-first-iteration'),
        pytest.param(dict(place='evaluation'), {}, 'iter_6.pth', id='evaluation'),
        pytest.param(dict(place='metric'), {}, 'iter_6.pth', id='metric'),
        # The second file is that of iteration 4, which is not there yet.
        pytest.param(dict(place='save', at=2), {}, 'iter_2.pth', id='saving'),
    ],
)
def test_run_that_makes_no_progress_ends(
    tmp_path: Path, start: Callable, hang: dict, options: dict, last: str | None
) -> None:
    run = start(hang={'in_c': True, **hang}, **SOON, **options)
    run.wait_for(HANGS.format(hang['place']))

    run.send(signal.SIGTERM)

    assert run.wait() == 143
    assert 'ended by SIGTERM: no iteration ended within 1 seconds' in run.output
    if last is None:
        assert 'There is no checkpoint yet' in run.output
    else:
        path = tmp_path / 'work' / last
        assert f'The last checkpoint stands: {path}; ' in run.output
        assert saved_iterations(path.parent)[last] == int(last[5:-4])
    run.wait_for_group()


def test_run_that_was_ended_is_resumed(tmp_path: Path, start: Callable) -> None:
    run = start(hang=dict(place='save', at=2, in_c=True), **SOON)
    run.wait_for(HANGS.format('save'))
    run.send(signal.SIGTERM)
    run.wait()

    again = start(words=('--resume',))

    assert again.wait() == 0, again.output
    assert saved_iterations(tmp_path / 'work')['iter_6.pth'] == 6
    assert not list((tmp_path / 'work').glob('.*.tmp'))


def test_checkpoint_that_is_being_written_is_finished(
    tmp_path: Path, start: Callable
) -> None:
    release = tmp_path / 'release'
    run = start(hang=dict(place='save', at=2, until=str(release)), **NOT_SOON)
    run.wait_for(HANGS.format('save'))
    run.send(signal.SIGTERM)
    run.wait_for(FIRST_WORDS)

    release.touch()

    assert run.wait() == 143
    assert 'ended by SIGTERM after iteration 4, which is saved' in run.output
    saved = saved_iterations(tmp_path / 'work')
    assert (saved['iter_2.pth'], saved['iter_4.pth']) == (2, 4)


@pytest.mark.parametrize(
    'number, status, name',
    [(signal.SIGTERM, 143, 'SIGTERM'), (signal.SIGINT, 130, 'Ctrl-C')],
    ids=['sigterm', 'ctrl-c'],
)
@pytest.mark.parametrize('place', ['forward', 'save'])
def test_second_signal_ends_at_once(
    tmp_path: Path, start: Callable, place: str, number: int, status: int, name: str
) -> None:
    run = start(
        hang=dict(place=place, at=3 if place == 'forward' else 2, in_c=True),
        **NOT_SOON,
        **ANY_IS_ANOTHER,
    )
    run.wait_for(HANGS.format(place))
    run.send(signal.SIGTERM)
    run.wait_for(FIRST_WORDS)

    run.send(number)

    assert run.wait() == status
    assert f'ended at once by {name}. The last checkpoint stands' in run.output
    assert saved_iterations(tmp_path / 'work')['iter_2.pth'] == 2
    run.wait_for_group()


def test_signal_that_is_passed_on_is_the_same(start: Callable, tmp_path: Path) -> None:
    # Slurm signals torchrun and its processes; torchrun passes its own on to them.
    release = tmp_path / 'release'
    run = start(
        hang=dict(place='forward', at=3, until=str(release)),
        **NOT_SOON,
        default_hooks__preemption__same_request=600.0,
    )
    run.wait_for(HANGS.format('forward'))
    run.send(signal.SIGTERM)
    run.wait_for(FIRST_WORDS)
    run.send(signal.SIGTERM)

    release.touch()

    assert run.wait() == 143
    assert 'ended by SIGTERM after iteration 3, which is saved' in run.output


@pytest.mark.parametrize('in_c', [True, False])
def test_ctrl_c_ends_a_run_that_hangs(start: Callable, in_c: bool) -> None:
    run = start(hang=dict(place='forward', at=3, in_c=in_c), **SOON)
    run.wait_for(HANGS.format('forward'))

    run.send(signal.SIGINT)

    assert run.wait() == 130
    run.wait_for_group()


def test_two_processes_end_where_one_hangs(tmp_path: Path, start: Callable) -> None:
    hang = dict(place='forward', at=4, in_c=True, rank=1)
    runs = start(hang=hang, processes=2, **SOON)
    runs[1].wait_for(HANGS.format('forward'))

    for run in runs:
        run.send(signal.SIGTERM)

    assert [run.wait() for run in runs] == [143, 143]
    for rank, run in enumerate(runs):
        assert f'process {rank}: ended by SIGTERM: no iteration ended' in run.output
        run.wait_for_group()
    assert saved_iterations(tmp_path / 'work')['iter_2.pth'] == 2


def test_worker_that_hangs_does_not_outlive_a_killed_program(start: Callable) -> None:
    run = start(hang=dict(place='data', at=2, in_c=True), **WORKERS)
    run.wait_for(HANGS.format('data'))

    run.send(signal.SIGKILL)

    assert run.wait() == -signal.SIGKILL
    run.wait_for_group()
