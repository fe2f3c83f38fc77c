# Copyright (c) onestage_pose contributors.
"""Images of requests that come together, looked at together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, NamedTuple, TypeVar

T = TypeVar('T')
R = TypeVar('R')


class QueueFullError(Exception):
    """As many wait for the model as may."""


class _Waiting(NamedTuple):
    item: object
    answer: asyncio.Future


class Batcher(Generic[T, R]):
    """Call a function of lists with what single callers give.

    While the function runs in its thread, further callers wait; those that wait when it
    is free again are its next list. So a lone caller is served at once, and lists grow
    with the load.

    Args:
        function (Callable): Takes a list of at most ``batch_size`` and returns as many
            results; never called twice at once.
        batch_size (int): Longest list.
        max_waiting (int): Most callers that wait.
        max_delay (float): Seconds that a list which is not full waits for more.
        on_batch (Callable, optional): Is told the length of each list.

    Use it as an asynchronous context manager; on leaving it, all who wait are served.
    """

    def __init__(
        self,
        function: Callable[[list[T]], Sequence[R]],
        batch_size: int,
        max_waiting: int,
        max_delay: float = 0.0,
        on_batch: Callable[[int], object] | None = None,
    ) -> None:
        self._function, self._on_batch = function, on_batch
        self.batch_size, self.max_delay = batch_size, max_delay
        self.max_waiting = max_waiting
        self._queue: asyncio.Queue[_Waiting | None] | None = None

    async def __aenter__(self) -> Batcher[T, R]:
        """Start."""
        self._queue = asyncio.Queue()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix='model')
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Serve those who wait, and end."""
        self._queue.put_nowait(None)
        await self._task
        self._pool.shutdown()

    @property
    def waiting(self) -> int:
        """int: Callers whose items are not looked at yet."""
        return self._queue.qsize() if self._queue is not None else 0

    async def __call__(self, item: T) -> R:
        """Return the function's result for an item.

        Raises:
            QueueFullError: Too many wait already.
            Exception: Whatever the function raises for the list that the item is in.
        """
        if self.waiting >= self.max_waiting:
            raise QueueFullError
        answer = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(item, answer))
        return await answer

    async def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [await self._queue.get()]
            is_full = len(batch) + self.waiting >= self.batch_size
            if self.max_delay and not is_full and None not in batch:
                await asyncio.sleep(self.max_delay)
            while len(batch) < self.batch_size and self.waiting:
                batch.append(self._queue.get_nowait())
            is_open = None not in batch
            # whoever has given up in the meantime is not looked at
            batch = [each for each in batch if each and not each.answer.done()]
            if batch:
                await self._serve(batch)

    async def _serve(self, batch: list[_Waiting]) -> None:
        if self._on_batch is not None:
            self._on_batch(len(batch))
        items = [each.item for each in batch]
        loop = asyncio.get_running_loop()
        try:
            results = await loop.run_in_executor(self._pool, self._function, items)
        except Exception as error:
            for each in batch:
                if not each.answer.done():
                    each.answer.set_exception(error)
            return
        for each, result in zip(batch, results):
            if not each.answer.done():
                each.answer.set_result(result)
