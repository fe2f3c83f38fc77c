# Copyright (c) onestage_pose contributors.
"""Progress of what takes long: a bar on a terminal, lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..utils.progress_bar import make_bar

T = TypeVar('T')

#: Seconds after which a bar is shown.
DELAY = 2.0
#: Seconds after which there are lines, where there is no terminal.
LOG_DELAY = 10.0
#: Lines of one run, where that is not too few.
LOG_LINES = 10
#: Most seconds between lines, and those where nobody knows how many items come.
LOG_INTERVAL, LOG_INTERVAL_UNKNOWN = 600.0, 60.0


def track(
    items: Iterable[T], description: str, total: int | None = None
) -> Iterator[T]:
    """Yield items, with their progress on standard error once they take longer.

    On a terminal that is a bar, else a line for each tenth and after ten minutes
    without one, or each minute where the number of items is unknown.

    Args:
        items (Iterable): What is gone through.
        description (str): What they are, before the bar.
        total (int | None): How many, where that is known; by default their length.

    Yields:
        Each item.
    """
    if total is None and hasattr(items, '__len__'):
        total = len(items)
    if not sys.stderr.isatty():
        yield from _log(items, description, total)
        return
    from rich.progress import MofNCompleteColumn

    progress = make_bar(MofNCompleteColumn(), transient=True)
    task = progress.add_task(description, total=total)
    start, is_shown = time.monotonic(), False
    try:
        for item in items:
            yield item
            progress.advance(task)
            if not is_shown and time.monotonic() - start >= DELAY:
                progress.start()
                is_shown = True
    finally:
        if is_shown:
            progress.stop()


def _log(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
    start = last = time.monotonic()
    tenths = 0
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - start < LOG_DELAY:
            continue
        if not total:
            if now - last >= LOG_INTERVAL_UNKNOWN:
                last = now
                _write_line(f'{description}: {done}')
            continue
        is_late = now - last >= LOG_INTERVAL
        if done < total and (is_late or tenths < done * LOG_LINES // total):
            last, tenths = now, done * LOG_LINES // total
            left = describe_seconds((now - start) / done * (total - done))
            _write_line(f'{description}: {done} of {total}, {left} left')


def _write_line(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def describe_seconds(seconds: float) -> str:
    """Return a duration in the largest unit that suits it, such as ``'12 min'``."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    if seconds < 5400:
        return f'{seconds / 60:.0f} min'
    return f'{seconds / 3600:.1f} h'
