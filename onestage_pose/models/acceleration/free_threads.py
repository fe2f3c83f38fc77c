# Copyright (c) onestage_pose contributors.
"""Threads of which each takes the next piece of work as soon as it is free.

PyTorch's own threads share every operator evenly and wait for each other after it. If
another program takes a core from one of them, the others wait, operator by operator.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import torch


def run_by_free_threads(
    function: Callable[..., None], pieces: Iterable[tuple[Any, ...]]
) -> None:
    """Call a function for each piece of work, in any order, without gradients.

    There are as many threads as PyTorch has, and each computes its operators alone.
    Under PyTorch's profiler, which sees the caller's thread only, that one does it all.

    Args:
        function (Callable[..., None]): Takes a piece and stores what it computes.
        pieces (Iterable[tuple[Any, ...]]): Its arguments, piece by piece.

    Raises:
        Exception: The first that the function raised.
    """
    if torch.autograd._profiler_enabled():
        for piece in pieces:
            function(*piece)
        return
    inference = torch.is_inference_mode_enabled()

    def run(piece: tuple[Any, ...]) -> None:
        # leaving inference mode brings gradients back
        with torch.inference_mode(inference), torch.no_grad():
            function(*piece)

    # a forked process has none of the threads
    pool = _make_pool(torch.get_num_threads(), os.getpid())
    for _ in pool.map(run, pieces):
        pass


@lru_cache(maxsize=1)
def _make_pool(threads: int, process: int) -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(threads, f'free_threads-{process}')
    # each thread waits for the others, so that none takes the place of another
    together = threading.Barrier(threads)

    def compute_alone() -> None:
        # a thread's first look at the number sets it, to what was set last anywhere
        torch.get_num_threads()
        torch.set_num_threads(1)
        together.wait()

    for started in [pool.submit(compute_alone) for _ in range(threads)]:
        started.result()
    torch.set_num_threads(threads)
    return pool
