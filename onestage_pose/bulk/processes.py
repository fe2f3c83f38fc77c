# Copyright (c) onestage_pose contributors.
"""Workers in processes of their own, which may die.

Nothing here imports PyTorch: a process that only watches others takes little memory.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from multiprocessing import connection
from queue import SimpleQueue
from typing import Any

from ..utils.errors import OnestagePoseError
from ..utils.fork_server import get_fork_server

#: After so many deaths with the same image it is left out with an error.
MAX_DEATHS_OF_IMAGE = 2
#: After so many deaths of a partition's workers for which no image can be named, the
#: run ends.
MAX_DEATHS = 3
_PRELOADED = ['onestage_pose.bulk.worker', 'mmdet.models', 'mmpose.models']

#: Makes a worker, which is called with a partition, what to leave out, and what tells
#: of each image; see :class:`.worker.Worker`. It goes to another process.
MakeWorker = Callable[[], Callable[..., Any]]


class WorkerDiedError(OnestagePoseError, RuntimeError):
    """The process of a worker died again and again, and no image is the reason."""


class _Death(Exception):
    """A process died.

    Attributes:
        how (str): By a signal, or with a status.
        place (int | None): The image that it looked at, where it said so.
    """

    def __init__(self, how: str, place: int | None) -> None:
        super().__init__(how)
        self.how, self.place = how, place


class WorkerProcess:
    """A worker in a process of its own, started when it is needed and when it died.

    A partition whose worker dies is done again, image by image; an image with which it
    dies :data:`MAX_DEATHS_OF_IMAGE` times is left out.

    Args:
        make_worker (Callable): Makes the worker, in the process.
        preloaded (list[str]): What processes find imported.
    """

    def __init__(
        self, make_worker: MakeWorker, preloaded: list[str] | None = None
    ) -> None:
        self._context = get_fork_server(_PRELOADED if preloaded is None else preloaded)
        self._make_worker = make_worker
        self._process: Any = None
        self._pipe: connection.Connection | None = None
        self._is_closed = False

    def run(self, partition: Any, number: int) -> Any:
        """Do a partition.

        Args:
            partition (Any): It goes to the process.
            number (int): What messages call it.

        Returns:
            What the worker returns.

        Raises:
            WorkerDiedError: It died again and again.
            Exception: Whatever the worker raises.
        """
        skipped: dict[int, str] = {}
        deaths: Counter[int | None] = Counter()
        while True:
            try:
                return self._ask(partition, skipped, is_careful=bool(deaths))
            except _Death as death:
                deaths[death.place] += 1
                if self._is_closed:
                    raise WorkerDiedError('The worker was stopped.') from None
                if deaths[None] >= MAX_DEATHS:
                    raise WorkerDiedError(
                        f'A worker died {MAX_DEATHS} times ({death.how}) with '
                        f'partition {number}, and no image is the reason: '
                        'perhaps memory is short, then use fewer workers. The same '
                        'command continues.'
                    ) from None
                if death.place is None or deaths[death.place] < MAX_DEATHS_OF_IMAGE:
                    continue
                skipped[death.place] = (
                    f'the process that looked at this image died {death.how}, '
                    f'{MAX_DEATHS_OF_IMAGE} times'
                )

    def close(self) -> None:
        """End the process at once; :meth:`run` in another thread then raises."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()

    def _ask(self, partition: Any, skipped: dict[int, str], is_careful: bool) -> Any:
        place = None
        try:
            if self._process is None or not self._process.is_alive():
                self._start()
            self._pipe.send((partition, skipped, is_careful))
            while True:
                kind, value = self._pipe.recv()
                if kind == 'at':
                    place = value
                elif kind == 'error':
                    raise _to_exception(*value)
                elif kind == 'done':
                    return value
        except (EOFError, ConnectionError, BrokenPipeError):
            raise _Death(self._reap(), place) from None

    def _start(self) -> None:
        self._pipe, other = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(other, self._make_worker), daemon=True
        )
        process.start()
        # only now, since close() ends what is here, from another thread
        self._process = process
        # or its end would not be seen
        other.close()
        if self._is_closed:
            self._process.kill()
        # raises EOFError where it dies, and what the worker raised where it cannot be
        kind, value = self._pipe.recv()
        if kind == 'error':
            raise _to_exception(*value)

    def _reap(self) -> str:
        self._process.kill()
        self._process.join()
        status = self._process.exitcode
        self._process = None
        self._pipe.close()
        if status is not None and status < 0:
            return f'by {signal.Signals(-status).name}'
        return f'with status {status}'


def run_in_processes(
    make_workers: list[MakeWorker],
    partitions: Iterable[Any],
    preloaded: list[str] | None = None,
) -> Iterator[Any]:
    """Do partitions in several processes; yield what the workers return.

    Args:
        make_workers (list[Callable]): Each makes the worker of one process.
        partitions (Iterable[Partition]): Taken one after the other.
        preloaded (list[str] | None): As for :class:`WorkerProcess`.

    Yields:
        What the workers return, whichever is done first.

    Raises:
        WorkerDiedError: See :class:`WorkerProcess`.
        Exception: Whatever a worker raises.
    """
    workers = [WorkerProcess(make, preloaded) for make in make_workers]
    free: SimpleQueue[WorkerProcess] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def run(partition: Any) -> Any:
        worker = free.get()
        try:
            return worker.run(partition, partition.number)
        finally:
            free.put(worker)

    waiting = iter(partitions)
    pool = ThreadPoolExecutor(len(workers), thread_name_prefix='bulk')
    running: set[Future] = set()
    try:
        while True:
            # no more than is needed: there may be millions
            for partition in islice(waiting, len(workers) - len(running)):
                running.add(pool.submit(run, partition))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for worker in workers:
            worker.close()
        pool.shutdown(cancel_futures=True)


def _to_exception(error: Exception | None, text: str) -> Exception:
    return RuntimeError(f'in a worker:\n{text}') if error is None else error


def _serve(pipe: connection.Connection, make_worker: MakeWorker) -> None:
    """Be the process."""
    # Ctrl-C is for the process that waits
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def call(function: Callable, *args: Any) -> bool:
        try:
            message = 'done', function(*args)
        except Exception as error:
            known = error if isinstance(error, OnestagePoseError) else None
            message = 'error', (known, traceback.format_exc())
        pipe.send(message)
        return message[0] == 'done'

    worker = None

    def make() -> None:
        nonlocal worker
        worker = make_worker()

    is_made = call(make)
    while is_made:
        try:
            partition, skipped, is_careful = pipe.recv()
        except EOFError:
            return
        announce = (lambda place: pipe.send(('at', place))) if is_careful else None
        call(worker, partition, skipped, announce)


def _end_with_parent() -> None:
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
