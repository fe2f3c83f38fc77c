# Copyright (c) onestage_pose contributors.
"""A job on a real Ray cluster of two nodes, of which one is lost."""

import os
import signal
from pathlib import Path

from onestage_pose.bulk.job import Job
from onestage_pose.bulk.on_ray import run_on_ray
from onestage_pose.bulk.sources import PathSource
from onestage_pose.bulk.worker import Worker, WorkerOptions

import pyarrow.parquet as pq
import pytest

from tests.test_bulk.conftest import BROKEN

pytest.importorskip('ray.data', reason='needs Ray (the extra "bulk")')


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes of a CPU each."""
    import ray
    from ray.cluster_utils import Cluster

    # or other tests, which run beside, leave its workers no time
    monkeypatch.setenv('RAY_worker_niceness', '0')
    monkeypatch.setenv('RAY_AUTH_MODE', 'disabled')
    monkeypatch.setenv('RAY_USAGE_STATS_ENABLED', '0')
    # workers import this checkout
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv('PYTHONPATH', root)
    options = dict(num_cpus=1, object_store_memory=10**8)
    cluster = Cluster(
        initialize_head=True, head_node_args=dict(options, include_dashboard=False)
    )
    cluster.options = options
    cluster.second = cluster.add_node(**options)
    ray.init(cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def kill_a_model():
    """Kill a process that holds a model: a child of a fork server of Ray's."""
    lines = {}
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / 'stat').read_text().rpartition(')')[2].split()
                line = (entry / 'cmdline').read_bytes()
            except OSError:
                continue
            lines[int(entry.name)] = int(fields[1]), line
    for pid, (parent, line) in lines.items():
        above, server = lines.get(parent, (0, b''))
        _, actor = lines.get(above, (0, b''))
        if b'forkserver' in line and b'forkserver' in server and b'ray::' in actor:
            os.kill(pid, signal.SIGKILL)
            return
    raise AssertionError('no process holds a model')


@pytest.mark.slow
def test_a_killed_worker_and_a_lost_node_lose_nothing(cluster, tiny, images, tmp_path):
    paths = 4 * sorted(map(str, images.iterdir()))
    source = PathSource(paths)

    def make_job(name):
        config, checkpoint = tiny
        options = WorkerOptions(
            str(tmp_path / name), model=config, checkpoint=checkpoint, bbox_thr=0.0
        )
        return Job(source, options, partition_size=2)

    plain = make_job('plain')
    worker = Worker(plain.options)
    for part in plain.partitions:
        worker(part)

    job = make_job('ray')
    found = run_on_ray(job, workers=2)
    numbers = [next(found).number]
    kill_a_model()
    # another takes its place, as an autoscaler has it
    cluster.add_node(**cluster.options)
    cluster.remove_node(cluster.second, allow_graceful=False)
    numbers += [each.number for each in found]
    job.finish()

    rows, expected = (
        pq.read_table(tmp_path / name).to_pylist() for name in ('ray', 'plain')
    )
    assert sorted(numbers) == [part.number for part in job.partitions]
    assert sum(row['error'] is not None for row in rows) == 4
    assert rows[3 * BROKEN]['error']
    assert rows == expected
