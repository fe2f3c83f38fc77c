# Copyright (c) onestage_pose contributors.
"""How every progress bar looks. Importing rich takes a tenth of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


def make_bar(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """Make a bar on standard error, to be started.

    Args:
        *columns (ProgressColumn): What stands between the bar and the remaining time.
        transient (bool): Remove the bar when it ends.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=transient,
    )
