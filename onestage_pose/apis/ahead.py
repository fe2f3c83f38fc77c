# Copyright (c) onestage_pose contributors.
"""Work that is done ahead in threads and given out in order, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

_LONGEST_ITEM = 5.0  # seconds

T = TypeVar('T')
R = TypeVar('R')


def load_ahead(
    items: Iterable[T], load: Callable[[T], R], num_threads: int, ahead: int
) -> Iterator[R]:
    """Yield ``load(item)`` of each item in order, loading later ones meanwhile.

    The items too are taken in a thread, so that reading them (the frames of a video)
    goes on beside whatever the caller does with a result.

    Args:
        items (Iterable): They may have no end. Where it is a generator, it is closed
            with this one.
        load (Callable): Called in threads, for several items at once.
        num_threads (int): How many load at once; 0 loads in the caller's thread when a
            result is asked for.
        ahead (int): How many items are loaded or being loaded at most before the
            caller takes them.

    Yields:
        What ``load`` returns. What ``items`` or ``load`` raise comes at the item's
        turn and ends the iteration.
    """
    if num_threads == 0:
        yield from map(load, items)
        return
    results: SimpleQueue[Future | None] = SimpleQueue()
    free, stopped = threading.Semaphore(ahead), threading.Event()
    pool = ThreadPoolExecutor(num_threads, thread_name_prefix='load-ahead')

    def submit_all() -> None:
        try:
            # acquired before an item is taken: nobody may come for it
            iterator = iter(items)
            while free.acquire() and not stopped.is_set():
                try:
                    item = next(iterator)
                except StopIteration:
                    break
                results.put(pool.submit(load, item))
        except BaseException as error:
            failed: Future = Future()
            failed.set_exception(error)
            results.put(failed)
        finally:
            results.put(None)
            if hasattr(items, 'close'):
                items.close()

    taker = threading.Thread(target=submit_all, name='take-ahead', daemon=True)
    taker.start()
    try:
        while (future := results.get()) is not None:
            result = future.result()
            free.release()
            yield result
            # a result that the caller has dropped is not kept here
            del result, future
    finally:
        stopped.set()
        free.release()
        pool.shutdown(wait=False, cancel_futures=True)
        # A daemon that is inside OpenCV when the program ends aborts it. A stream that
        # gives nothing is not waited for.
        taker.join(_LONGEST_ITEM)
