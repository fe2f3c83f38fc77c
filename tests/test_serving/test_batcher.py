# Copyright (c) onestage_pose contributors.
"""Who comes while the function runs is served by its next call."""

import asyncio
import threading

from onestage_pose.serving.batcher import Batcher, QueueFullError

import pytest


class Doubling:
    """Doubles what it gets; each call waits until it is let go."""

    def __init__(self):
        self.calls = []
        self.free = threading.Semaphore(0)

    def __call__(self, items):
        self.calls.append(items)
        assert self.free.acquire(timeout=60)
        if -1 in items:
            raise ValueError('minus one')
        return [2 * each for each in items]


async def come(batcher, *items):
    tasks = [asyncio.create_task(batcher(each)) for each in items]
    await asyncio.sleep(0)  # each has come to the queue
    return tasks


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_a_lone_caller_is_served_at_once_and_those_meanwhile_together():
    double, lengths = Doubling(), []

    async def main():
        async with Batcher(double, 3, 10, on_batch=lengths.append) as batcher:
            first = await come(batcher, 1)
            await until(lambda: double.calls)
            others = await come(batcher, 2, 3, 4, 5)
            double.free.release(3)
            return await asyncio.gather(*first, *others)

    assert asyncio.run(main()) == [2, 4, 6, 8, 10]
    assert double.calls == [[1], [2, 3, 4], [5]]
    assert lengths == [1, 3, 1]


def test_a_batch_that_is_not_full_waits_for_more_where_that_is_asked_for(monkeypatch):
    double, delays, sleep = Doubling(), [], asyncio.sleep
    double.free.release(1)

    async def main():
        async with Batcher(double, 2, 10, max_delay=30) as batcher:

            async def meanwhile(delay):
                delays.append(delay)
                tasks.append(asyncio.create_task(batcher(2)))
                await sleep(0)

            tasks = [asyncio.create_task(batcher(1))]
            monkeypatch.setattr(asyncio, 'sleep', meanwhile)
            await tasks[0]
            monkeypatch.setattr(asyncio, 'sleep', sleep)
            # a full one does not wait: else this would take 30 seconds
            double.free.release(1)
            tasks += [asyncio.create_task(batcher(each)) for each in (3, 4)]
            return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [2, 4, 6, 8]
    assert double.calls == [[1, 2], [3, 4]]
    assert delays == [30]


def test_a_fault_reaches_those_of_its_batch_alone():
    double = Doubling()
    double.free.release(3)

    async def main():
        async with Batcher(double, 1, 10) as batcher:
            tasks = await come(batcher, 1, -1, 2)
            return await asyncio.gather(*tasks, return_exceptions=True)

    one, fault, two = asyncio.run(main())
    assert (one, two) == (2, 4)
    assert str(fault) == 'minus one'


def test_no_more_wait_than_may():
    double = Doubling()

    async def main():
        async with Batcher(double, 1, 2) as batcher:
            tasks = await come(batcher, 1)
            await until(lambda: double.calls)
            tasks += await come(batcher, 2, 3)
            assert batcher.waiting == 2
            with pytest.raises(QueueFullError):
                await batcher(4)
            double.free.release(3)
            return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [2, 4, 6]


def test_whoever_gives_up_is_not_looked_at():
    double = Doubling()

    async def main():
        async with Batcher(double, 1, 10) as batcher:
            tasks = await come(batcher, 1)
            await until(lambda: double.calls)
            (quitter,) = await come(batcher, 2)
            quitter.cancel()
            tasks += await come(batcher, 3)
            double.free.release(2)
            return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [2, 6]
    assert double.calls == [[1], [3]]


def test_leaving_serves_those_who_wait():
    double = Doubling()

    async def main():
        async with Batcher(double, 2, 10) as batcher:
            tasks = await come(batcher, 1, 2, 3)
            double.free.release(2)
        return [each.result() for each in tasks]

    assert asyncio.run(main()) == [2, 4, 6]
