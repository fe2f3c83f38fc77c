# Copyright (c) onestage_pose contributors.
"""Refuse options that nobody knows, and values that mean nothing."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

from ..utils.errors import UsageError
from ..utils.suggestions import did_you_mean, find_similar_options


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


def check_number(
    name: str,
    value: Any,
    least: float,
    most: float = math.inf,
    *,
    whole: bool = False,
    optional: bool = False,
) -> None:
    """Raise where a number is none, or out of range.

    Args:
        name (str): Of the option, for the message.
        value (Any): What was given.
        least (float): The least number that is taken.
        most (float): The largest.
        whole (bool): Whether it has to be a whole number.
        optional (bool): Whether None is taken, too.

    Raises:
        UsageError: Naming the option, the value and what is expected.
    """
    if value is None and optional:
        return
    kinds = numbers.Integral if whole else numbers.Real
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        kind = 'whole number' if whole else 'number'
        bounds = (
            f', {least} or more' if most == math.inf else f' from {least} to {most}'
        )
        raise UsageError(f'{name}={value!r}: give a {kind}{bounds}.')


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Raise where a value is none of a few.

    Args:
        name (str): Of the option, for the message.
        value (Any): What was given.
        choices (Sequence[str]): What is taken.

    Raises:
        UsageError: Naming the option, the value, the likely one and all that there are.
    """
    if value in choices:
        return
    hint = did_you_mean(value, choices) if isinstance(value, str) else ''
    expected = ' or '.join(map(repr, choices))
    raise UsageError(f'{name}={value!r}: give {expected}.{hint}')
