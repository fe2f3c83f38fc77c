# Copyright (c) onestage_pose contributors.
"""What an interrupted run has left. Nothing here imports PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

from ..utils.errors import UsageError


def name_state(lines: Path) -> Path:
    """Return the file beside the lines that a run continues from."""
    return lines.with_name(f'{lines.name}.state')


def check_interrupted(lines: Path) -> None:
    """Raise where an interrupted run can be continued.

    Args:
        lines (Path): The lines of a run, which need not be there.

    Raises:
        UsageError: With how many frames are saved, and what to do.
    """
    state = name_state(lines)
    if not state.exists():
        return
    try:
        number = json.loads(state.read_text(encoding='utf-8'))['num_frames']
        saved = f' ({number} {"frame" if number == 1 else "frames"} saved)'
    except (OSError, ValueError, KeyError, TypeError):
        # --resume says what is wrong with it
        saved = ''
    raise UsageError(
        f'an interrupted run{saved} is here, {state}: --resume continues it, --force '
        'starts again.'
    )
