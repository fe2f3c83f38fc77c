# Copyright (c) onestage_pose contributors.
"""A job on a Ray cluster, by Ray Data."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..utils.errors import OnestagePoseError, UsageError
from .actor import Actor
from .job import Job
from .processes import WorkerDiedError
from .worker import Summary, Worker

#: Tries without a new partition after which the run ends.
_MAX_TRIES = 3


def run_on_ray(
    job: Job, address: str | None = None, workers: int | None = None
) -> Iterator[Summary]:
    """Do what a job lacks on a Ray cluster.

    Ray Data hands partitions to a pool of actors, and to others when an actor or a node
    dies. Each actor keeps its model in a process of its own, as without Ray: an image
    that kills that process is left out in the end, and the actor lives on.

    Args:
        job (Job): Its folder is seen by all nodes.
        address (str | None): Of the cluster; None takes that of ``RAY_ADDRESS``, or
            else starts one on this machine. A program that is connected already stays
            so.
        workers (int | None): Actors; by default one a GPU of the cluster, or else one a
            CPU.

    Yields:
        Summary: Of each partition when it is done.

    Raises:
        UsageError: There is no such cluster.
        OutputError: A file cannot be written.
        WorkerDiedError: Partitions are not done, however often they are tried.
    """
    import ray

    is_ours = not ray.is_initialized()
    if is_ours:
        _connect(address)
    try:
        yield from _run(job, workers)
    finally:
        if is_ours:
            ray.shutdown()


def _connect(address: str | None) -> None:
    import ray

    # nothing is told to others unless the user wants it
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    local = {} if address or os.environ.get('RAY_ADDRESS') else _LOCAL
    try:
        ray.init(address, logging_level=logging.WARNING, log_to_driver=False, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(
            f'--ray {address or ""}: cannot be connected to ({error}).'
        ) from error


_LOCAL: dict[str, Any] = dict(include_dashboard=False)


def _run(job: Job, workers: int | None) -> Iterator[Summary]:
    import ray

    resources = ray.cluster_resources()
    gpus = int(resources.get('GPU', 0)) if job.options.device is None else 0
    workers = workers or gpus or int(resources.get('CPU', 1))
    tries = 0
    missing = job.missing
    while missing:
        done: set[int] = set()
        error = None
        try:
            for summary in _run_once(job, missing, min(workers, len(missing)), gpus):
                done.add(summary.number)
                yield summary
        except ray.exceptions.RayTaskError as failed:
            # what the worker raised, or Ray's own
            if isinstance(failed.cause, OnestagePoseError):
                raise failed.cause from None
            raise
        except (ray.exceptions.RayError, OSError) as failed:
            error = failed
        # files that were written, and their summaries lost with a node
        written = job.find_done()
        tries = 0 if done else tries + 1
        missing = [each for each in missing if each.number not in written]
        if missing and tries == _MAX_TRIES:
            raise WorkerDiedError(
                f'{len(missing)} partitions are not done after {_MAX_TRIES} tries '
                f'({error}). The same command continues.'
            )


def _run_once(job: Job, missing: list, workers: int, gpus: int) -> Iterator[Summary]:
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger('ray.data').setLevel(logging.WARNING)
    rows = [dict(number=each.number, partition=pickle.dumps(each)) for each in missing]
    # a block is what is done again when a node is lost
    blocks = ray.data.from_items(rows, override_num_blocks=len(rows))
    summaries = blocks.map_batches(
        Actor,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
        num_gpus=1 if gpus else None,
        fn_constructor_args=(pickle.dumps(partial(Worker, job.options)),),
    )
    for row in summaries.iter_rows():
        yield Summary(**row)
