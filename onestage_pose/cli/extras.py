# Copyright (c) onestage_pose contributors.
"""Packages that a command needs and that only an extra installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..utils.errors import UsageError


@contextmanager
def needs_extra(extra: str, what: str = 'this') -> Iterator[None]:
    """Import what an extra installs; name the extra where a package is missing.

    Args:
        extra (str): Of pyproject.toml.
        what (str): What needs it, for the message.

    Raises:
        UsageError: A package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f'there is no {error.name}, which {what} needs: '
            f"pip install 'onestage_pose[{extra}]'"
        ) from error
