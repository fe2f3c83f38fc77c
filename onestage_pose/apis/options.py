# Copyright (c) onestage_pose contributors.
"""Refuse options that nobody knows, with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from ..utils.errors import UsageError
from ..utils.suggestions import find_similar_options


def refuse_unknown(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise where an option is not known.

    Args:
        given (Iterable[str]): The names of what was given.
        known (Iterable[str]): The names that mean something.
        where (str): What they were given to, for the message.

    Raises:
        UsageError: Names the option, the likely one and all that there are.
    """
    known = sorted(known)
    for name in given:
        if name in known:
            continue
        close = find_similar_options(name, known)
        hint = f' Did you mean {" or ".join(close)}?' if close else ''
        raise UsageError(
            f'{where} has no option {name!r}.{hint} Its options: {", ".join(known)}.'
        )
