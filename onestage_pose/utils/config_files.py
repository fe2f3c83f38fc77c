# Copyright (c) onestage_pose contributors.
"""Read a config that a user names."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from .config_errors import describe, find_place
from .errors import UsageError
from .paths import find_config
from .renamed_configs import find_renamed_config


def _innermost(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return error


def read_config(filename: str) -> Config:
    """Read a config, which is a program: only use those of people you trust.

    Args:
        filename (str): Its path, or the name of a config of this package, see
            :func:`.find_config`.

    Returns:
        Config: With everything that it inherits.

    Raises:
        UsageError: It does not exist, is no Python, inherits a file that does not
            exist, or ends with an error; with the line.
    """
    try:
        return Config.fromfile(find_config(filename))
    except SyntaxError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UsageError(f'config {filename} is not valid Python: {reason}') from error
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise UsageError(f'config {filename} cannot be read: {error}') from error
        missing = error.filename or error
        renamed = find_renamed_config(str(missing))
        remedy = 'correct _base_ in it' if renamed is None else f'it is now {renamed}'
        raise UsageError(
            f'config {filename} inherits {missing}, which does not exist: {remedy}.'
        ) from error
    except ImportError as error:
        # mmengine's own only lists sys.path
        reason = _innermost(error)
        remedy = ''
        if isinstance(reason, ModuleNotFoundError):
            remedy = (
                ' A module of your own is found if its folder is in PYTHONPATH: '
                f'PYTHONPATH={Path(filename).parent} before the command.'
            )
        raise UsageError(
            f'config {filename} imports what cannot be imported: {describe(reason)}.'
            f'{remedy}'
        ) from error
    except Exception as error:
        raise UsageError(
            f'config {filename} ends with an error{find_place(error.__traceback__)}: '
            f'{describe(error)}.'
        ) from error
