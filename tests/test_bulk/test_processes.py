# Copyright (c) onestage_pose contributors.
"""Workers that die, and what is done about it; no model is needed."""

from functools import partial

from onestage_pose.bulk.processes import (
    WorkerDiedError,
    WorkerProcess,
    run_in_processes,
)
from onestage_pose.utils.errors import OutputError

import pytest

from tests.bulk_workers import NoWorker, Part, Worker


@pytest.fixture
def log(tmp_path):
    path = tmp_path / 'log'
    path.touch()
    return path


def run(log, *parts, number=1):
    makers = [partial(Worker, str(log))] * number
    return sorted(run_in_processes(makers, parts, preloaded=['tests.bulk_workers']))


def test_all_partitions_are_done_by_several_processes(log):
    parts = [Part(number, (1, 2)) for number in range(5)]

    assert run(log, *parts, number=2) == [(number, 2, {}) for number in range(5)]
    assert len(log.read_text().splitlines()) == 5


def test_a_death_costs_the_partition_alone(log):
    found = run(log, Part(0, (1,)), Part(1, ('once',)), Part(2, (1,)))

    assert found == [(0, 1, {}), (1, 1, {}), (2, 1, {})]


def test_an_image_that_kills_is_left_out_with_a_reason(log):
    [(_, images, skipped)] = run(log, Part(0, (1, 'kill', 3)))

    assert images == 3
    assert skipped == {
        1: 'the process that looked at this image died by SIGKILL, 2 times'
    }
    # together, twice until it is known, and without it
    assert log.read_text().split()[1::2] == ['together', *['careful'] * 3]


def test_every_image_that_kills_is_left_out(log):
    [(_, _, skipped)] = run(log, Part(0, ('kill', 2, 'kill')))

    assert set(skipped) == {0, 2}


def test_deaths_without_an_image_end_the_run(log):
    with pytest.raises(WorkerDiedError, match='died 3 times .by SIGKILL. with part'):
        run(log, Part(7, (1, 'kill at the end')))


def test_a_worker_that_cannot_be_made_ends_the_run(log):
    with pytest.raises(WorkerDiedError, match='with status 3'):
        list(run_in_processes([NoWorker], [Part(0, ())], ['tests.bulk_workers']))


def test_what_a_worker_raises_is_raised(log):
    with pytest.raises(OutputError, match='the disk is full'):
        run(log, Part(0, (1,)), Part(1, ('full',)), number=2)


def test_a_worker_that_is_closed_before_it_starts_is_stopped(log, monkeypatch):
    worker = WorkerProcess(partial(Worker, str(log)), ['tests.bulk_workers'])
    make = worker._context.Process

    class Late:
        def __init__(self, **options):
            self.process = make(**options)

        def start(self):
            worker.close()
            self.process.start()

        def __getattr__(self, name):
            return getattr(self.process, name)

    monkeypatch.setattr(worker._context, 'Process', Late)

    with pytest.raises(WorkerDiedError, match='The worker was stopped'):
        worker.run(Part(0, (1,)), 0)
