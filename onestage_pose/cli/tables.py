# Copyright (c) onestage_pose contributors.
"""Tables that can be read in a terminal and pasted into Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table
from rich.text import Text

# wider than any table, so that no cell is folded
_WIDTH = 10_000


def format_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown, its columns aligned.

    Args:
        columns (Sequence[str]): Their headings.
        rows (Iterable[Sequence[object]]): One cell for each column. Numbers are
            aligned to the right.

    Returns:
        str: Lines without a newline at the end.
    """
    rows = [list(row) for row in rows]
    table = Table(box=MARKDOWN)
    for index, heading in enumerate(columns):
        numbers = rows and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(Text(heading), justify='right' if numbers else 'left')
    for row in rows:
        # as Text, for a string could hold rich's markup
        table.add_row(*(Text(str(cell)) for cell in row))
    buffer = StringIO()
    Console(file=buffer, width=_WIDTH, color_system=None).print(table)
    # rich leaves a line above and below for the frame that Markdown does not have
    lines = (line.rstrip() for line in buffer.getvalue().splitlines())
    return '\n'.join(line for line in lines if line)
