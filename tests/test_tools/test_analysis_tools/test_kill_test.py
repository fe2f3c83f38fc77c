# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/kill_test.py: kills trainings as it says, and compares."""

import json
import multiprocessing
import signal
import sys
from functools import partial

from onestage_pose.utils.errors import UsageError

import pytest
import torch

from tests.tool_runs import load_tool

WAITING = signal.pause
ENDED = partial(sys.exit, 0)
FAILED = partial(sys.exit, 3)


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/kill_test')


@pytest.fixture
def start(tool, tmp_path):
    """Starts a process that calls a function, in the place of a training."""
    started = []

    def start(function, timeout=600):
        class Stub(tool.Training):
            def start(self, *words):
                process = multiprocessing.get_context('fork').Process(target=function)
                process.start()
                return process

        progress = tool.Progress()
        started.append(Stub(tmp_path / 'work', progress, timeout))
        return started[-1]

    yield start
    for training in started:
        training.kill()


def log_iterations(work_dir, *iterations, run='first'):
    path = work_dir / run / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(dict(loss=1.0, iter=i)) for i in iterations]
    path.write_text('\n'.join([*lines, '{"coco/AP": 0.0, "step": 6}', '{"half']))


def test_four_runs_are_killed_by_default(tool):
    assert tool.parse_args([]).kills == 4


@pytest.mark.parametrize('option', ['--kills', '--timeout'])
def test_a_number_of_none_is_refused(tool, capsys, option):
    with pytest.raises(SystemExit):
        tool.parse_args([option, '0'])
    assert '0 is given, 1 or more is needed' in capsys.readouterr().err


def test_an_earlier_report_is_not_overwritten(tool, tmp_path):
    with pytest.raises(UsageError, match=f'{tmp_path} exists'):
        tool.main(['--work-dir', str(tmp_path)])


def test_the_last_iteration_is_read_from_the_log(start):
    training = start(WAITING)
    assert training.read_iteration() == 0
    log_iterations(training.work_dir, 1, 2)
    assert training.read_iteration() == 2


def test_iterations_before_a_run_was_resumed_are_not_its_own(start, tmp_path):
    log_iterations(tmp_path / 'work', 1, 2, 3)
    training = start(WAITING)
    assert training.read_iteration() == 0
    log_iterations(training.work_dir, 2, run='second')
    assert training.read_iteration() == 2


def test_what_is_waited_for_is_shown(start, capsys):
    training = start(WAITING)
    training.progress.title = 'run 1 of 4'
    assert training.wait_until(lambda now: True, 'iteration 5')
    assert 'run 1 of 4: waits for iteration 5' in capsys.readouterr().err


def test_a_run_that_ends_before_is_told(start):
    assert not start(ENDED).wait_until(lambda now: False, 'iteration 5')


def test_a_run_that_hangs_is_killed_and_named(start, tmp_path):
    training = start(WAITING, timeout=0)
    with pytest.raises(UsageError, match='waited for iteration 5: see .*work.log'):
        training.wait_until(lambda now: False, 'iteration 5')
    assert training.process.exitcode is not None


def test_a_run_that_fails_is_named(start):
    with pytest.raises(UsageError, match='ended with status 3: see .*work.log'):
        start(FAILED).finish()


def test_the_times_of_iterations_and_of_the_end_are_told(start):
    training = start(ENDED)
    log_iterations(training.work_dir, 1, 2, 3)
    times = training.finish()
    assert len(times) == 4 and times[0] == 0 and times == sorted(times)


def test_kill_tells_whether_the_run_was_going_on(start):
    going = start(WAITING)
    assert going.kill() and not going.kill()


def test_a_moment_is_counted_from_the_iteration_before_it(tool, start):
    training = start(WAITING)
    log_iterations(training.work_dir, 1, 2)
    times = [0.0, 1.0, 5.0, 6.0]
    when = tool.kill_at_moment(training, 1.0009, times)
    assert when == '0.0 s after iteration 2'


def test_a_checkpoint_is_seen_while_it_is_written(tool, start):
    training = start(WAITING)
    log_iterations(training.work_dir, 1)
    (training.work_dir / '.iter_2.pth.abc.tmp').touch()
    when = tool.kill_at_checkpoint(training, 2)
    assert when == 'while iter_2.pth was being written'


def test_a_checkpoint_that_was_written_too_fast_is_told(tool, start):
    training = start(WAITING)
    log_iterations(training.work_dir, 1, 2, 3)
    assert tool.kill_at_checkpoint(training, 2) is None


@pytest.mark.parametrize('at_checkpoint', [True, False])
def test_a_run_that_fails_is_not_taken_for_a_fast_one(tool, start, at_checkpoint):
    with pytest.raises(UsageError, match='ended with status 3'):
        tool.run_and_kill(lambda: start(FAILED), [0.0, 1.0], at_checkpoint)


def test_runs_that_are_too_fast_are_given_up(tool, start):
    with pytest.raises(UsageError, match='too fast to be killed 3 times'):
        tool.run_and_kill(lambda: start(ENDED), [0.0, 1.0], at_checkpoint=True)


def test_places_that_differ_are_named(tool):
    one = dict(state_dict=dict(a=torch.ones(2), b=torch.ones(2)), steps=[1, 2])
    other = dict(state_dict=dict(a=torch.ones(2), b=torch.zeros(2)), steps=[1, 3])
    assert tool.find_differences(one, one) == []
    assert tool.find_differences(one, other) == ['.state_dict.b', '.steps.1']


@pytest.mark.slow
def test_killed_runs_end_as_the_uninterrupted_one(tool, tmp_path):
    # One at a random moment, one while it writes a checkpoint.
    tool.main(['--kills', '2', '--work-dir', str(tmp_path / 'work')])
    assert '2 of 2 identical' in (tmp_path / 'work/report.md').read_text()
