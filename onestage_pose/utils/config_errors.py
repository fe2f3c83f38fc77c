# Copyright (c) onestage_pose contributors.
"""Say in a config's terms why nothing can be built from it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FrameType, TracebackType

from .arguments import shorten
from .config_check import explain_unknown_option

# What constructors raise about their arguments. A full disk or a GPU without memory is
# no fault of a config.
_ABOUT_ARGUMENTS = (
    AssertionError,
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    NotImplementedError,
    TypeError,
    ValueError,
)
_LONGEST = 300


def explain_config_error(error: Exception) -> str | None:
    """Explain an error that was raised while something was built from a config.

    Args:
        error (Exception): With its traceback.

    Returns:
        str | None: What could not be built, and why, in one line; None where nothing
        was being built, or the error is not about what it was built from.
    """
    # PyTorch's for a size below 0; its subclasses are about memory and devices
    is_plain = type(error) is RuntimeError
    if not (is_plain or isinstance(error, _ABOUT_ARGUMENTS)):
        return None
    if isinstance(error, TypeError):
        explanation = explain_unknown_option(error)
        if explanation is not None:
            return f'the config gives an option that does not exist: {explanation}'
    built, given, is_runner = None, {}, False
    for frame, _ in _walk(error.__traceback__):
        code = frame.f_code
        if code.co_name == 'build_from_cfg':
            built = frame.f_locals.get('obj_cls') or frame.f_locals.get('cfg')
            given = frame.f_locals.get('args') or {}
        elif code.co_filename.endswith('mmengine/runner/runner.py'):
            is_runner = is_runner or code.co_name in ('__init__', 'from_cfg')
    if is_plain and not callable(built):
        return None
    if built is None and not is_runner:
        return None
    what = 'the config is not one of a run'
    if callable(built):
        name = getattr(built, '__name__', built)
        what = (
            f'the config describes a {name} ({built.__module__}) that cannot be built'
        )
    elif built is not None:
        what = f'the config has a part without a class, {_shorten(str(built))}'
    # not every constructor names the argument that it stumbles over
    options = ', '.join(f'{key}={shorten(value)}' for key, value in given.items())
    shown = f' It is given {_shorten(options)}.' if options and callable(built) else ''
    return (
        f'{what}: {describe(error)}.{shown} Correct it in the config or in '
        '--cfg-options.'
    )


def describe(error: BaseException) -> str:
    """Return an error's kind and message, in one line of a few hundred letters."""
    kind, text = type(error).__name__, str(error)
    if isinstance(error, KeyError) and len(error.args) == 1:
        # the bare key says as little as its repr
        text = f'there is no {error.args[0]!r}' if ' ' not in text else error.args[0]
    return f'{kind}: {_shorten(text)}' if text else kind


def find_place(traceback: TracebackType | None) -> str:
    """Return the file and line of the innermost module that was being run.

    Args:
        traceback (TracebackType | None): Of an error while a config was read.

    Returns:
        str: ``' at FILE:LINE'``, or nothing.
    """
    place = ''
    for frame, line in _walk(traceback):
        if frame.f_code.co_name == '<module>':
            place = f' at {frame.f_code.co_filename}:{line}'
    return place


def _walk(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _shorten(text: str) -> str:
    line = inspect.cleandoc(text).replace('\n', ' ')
    return line if len(line) <= _LONGEST else f'{line[:_LONGEST]}...'
