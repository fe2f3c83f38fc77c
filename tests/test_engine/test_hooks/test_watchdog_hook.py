# Copyright (c) onestage_pose contributors.
"""A run that stands still says so, and goes on where it can."""

import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from onestage_pose.engine.hooks import WatchdogHook
from onestage_pose.engine.hooks.watchdog_hook import where

import pytest

from tests.toy_hang import HANGS

# However long an iteration takes. Where one takes more than that on a busy machine,
# the line comes once more, which no test minds.
SOON = dict(default_hooks__watchdog=dict(at_least=0.5, factor=0.001))
WORKERS = dict(train_dataloader__num_workers=2)


@pytest.mark.parametrize('name', ['factor', 'at_least'])
def test_bounds_have_to_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f'{name}=0 has to be above 0'):
        WatchdogHook(**{name: 0})


@pytest.mark.parametrize(
    'durations, limit',
    [([], 120), ([1.0, 2.0, 300.0], 120), ([20.0, 30.0, 900.0], 300)],
    ids=['no-iteration', 'short', 'long'],
)
def test_limit_is_ten_times_the_median_and_two_minutes_at_least(
    durations: list[float], limit: float
) -> None:
    hook = WatchdogHook()
    hook.durations.extend(durations)

    assert hook.limit() == limit


def test_thread_that_runs_no_training_stands_nowhere() -> None:
    assert where(threading.get_ident()) is None


@pytest.mark.parametrize(
    'hang, options, place',
    [
        pytest.param(dict(place='data', at=7), {}, 'data', id='data'),
        pytest.param(dict(place='data', at=2), WORKERS, 'data', id='worker'),
        pytest.param(dict(place='forward', at=3), {}, 'forward', id='forward'),
        pytest.param(dict(place='backward', at=3), {}, 'backward', id='backward'),
        pytest.param(dict(place='save'), {}, 'checkpoint', id='checkpoint'),
        pytest.param(dict(place='evaluation'), {}, 'evaluation', id='evaluation'),
        pytest.param(dict(place='metric'), {}, 'evaluation', id='metric'),
    ],
)
def test_line_names_the_place(
    tmp_path: Path, start: Callable, hang: dict, options: dict, place: str
) -> None:
    run = start(hang=dict(hang, in_c=True), **SOON, **options)

    run.wait_for(HANGS.format(hang['place']))

    run.wait_for(f'process 0: {place} (')
    assert re.search(
        r'No iteration has ended for \d+ seconds: process 0: .*, pid \d+\)\. Nothing '
        r'is ended; the line comes again after \d+\.',
        run.output,
    )


def test_line_comes_ever_less_often_and_ends_nothing(
    tmp_path: Path, start: Callable
) -> None:
    release = tmp_path / 'release'
    run = start(hang=dict(place='forward', at=3, until=str(release)), **SOON)
    run.wait_for(HANGS.format('forward'))
    run.wait_for('the line comes again after 4.')

    release.touch()

    run.wait_for('The run goes on.')
    assert run.wait() == 0, run.output
    times = re.findall(r'line comes again after (\d+)\.', run.output)
    assert ('2', '4') in zip(times, times[1:])


def test_each_of_two_processes_is_named(start: Callable) -> None:
    hang = dict(place='data', at=7, in_c=True, rank=1)
    runs = start(hang=hang, processes=2, **SOON)
    runs[1].wait_for(HANGS.format('data'))

    runs[0].wait_for('process 1: data (')
    # which waits for the gradients of the other one
    runs[0].wait_for('process 0: communication of gradients (')


def test_process_that_does_not_answer_is_named(start: Callable) -> None:
    hang = dict(place='forward', at=3, in_c=True, rank=1)
    runs = start(hang=hang, processes=2, **SOON)
    runs[1].wait_for(HANGS.format('forward'))

    runs[1].send(signal.SIGSTOP)

    runs[0].wait_for('process 1: no answer')
