# Copyright (c) onestage_pose contributors.
"""Progress of a download: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..utils.progress_bar import make_bar

MEGABYTE = 10**6


@contextmanager
def show_progress(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show on standard error how far a download is.

    Args:
        name (str): Of the file.

    Yields:
        Callable[[int, int | None], None]: To be called with the bytes that are there,
        and those of the whole file, None where that is not known.
    """
    if sys.stderr.isatty():
        yield from _bar(name)
    else:
        yield _lines(name)


def _bar(name: str) -> Iterator[Callable[[int, int | None], None]]:
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with make_bar(DownloadColumn(), TransferSpeedColumn()) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _lines(name: str) -> Callable[[int, int | None], None]:
    tenths = -1

    def report(done: int, total: int | None) -> None:
        nonlocal tenths
        reached = 10 * done // total if total else 0
        if reached <= tenths:
            return
        tenths = reached
        of = f' of {total / MEGABYTE:.0f} MB' if total else ''
        print(f'{name}: {done / MEGABYTE:.0f}{of}', file=sys.stderr, flush=True)

    return report
