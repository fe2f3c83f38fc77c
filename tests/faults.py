# Copyright (c) onestage_pose contributors.
"""What a check says, as a value that a test can name."""

from collections.abc import Callable
from typing import Any


def fault_of(check: Callable, *args: Any, **options: Any) -> str | None:
    """The message of the error that a check raises; None where it accepts."""
    try:
        check(*args, **options)
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None
