# Copyright (c) onestage_pose contributors.
"""A progress bar for what takes longer than two seconds, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..utils.progress_bar import make_bar

T = TypeVar('T')

#: Seconds after which a bar is shown.
DELAY = 2.0


def track(
    items: Iterable[T], description: str, total: int | None = None
) -> Iterator[T]:
    """Yield items, with a bar on standard error once they take longer.

    Where standard error is no terminal nothing is written.

    Args:
        items (Iterable): What is gone through.
        description (str): What they are, before the bar.
        total (int | None): How many, where that is known; by default their length.

    Yields:
        Each item.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    if total is None and hasattr(items, '__len__'):
        total = len(items)
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
