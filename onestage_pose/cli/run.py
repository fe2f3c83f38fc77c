# Copyright (c) onestage_pose contributors.
"""Run a tool, and end it with a message that its user understands."""

import os
import re
import select
import sys
from collections.abc import Callable
from typing import Any

from ..utils.errors import OnestagePoseError, PreemptedError, RunInterruptedError

#: Set, it shows the traceback of every error.
TRACEBACK = 'ONESTAGE_POSE_TRACEBACK'

_UNKNOWN_CLASS = re.compile(r'(\w+) is not in the (\S+) registry')


def run_tool(main: Callable[[list[str] | None], None]) -> None:
    """Run a tool; print an error that its user can mend in one line.

    Args:
        main (Callable): The tool, which takes None for ``sys.argv``.

    Raises:
        SystemExit: Status 1 for an error of this project, a missing file, and a config
            that nothing can be built from; 143 where SIGTERM has ended a training,
            which is saved; 130 after Ctrl-C. All other errors are raised as they are,
            and those of configs where :data:`TRACEBACK` is in the environment.
    """
    # The name of a file may hold what the terminal cannot show, or is not UTF-8.
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        main(None)
        # not above: PyTorch and OpenMMLab are imported where Ctrl-C is answered
        from .distributed import leave_dist

        leave_dist()
        sys.stdout.flush()
    except (PreemptedError, RunInterruptedError) as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        # no Exception: without this line its traceback names whatever ran just then
        print('Interrupted.', file=sys.stderr)
        sys.exit(RunInterruptedError.exit_status)
    except BrokenPipeError:
        if not _is_stdout_closed():
            raise
        # or Python's last flush fails, too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OnestagePoseError, FileNotFoundError) as error:
        _exit(error)
    except Exception as error:
        from ..utils.config_errors import explain_config_error

        explanation = _explain_unknown_class(error) or explain_config_error(error)
        if explanation is None or os.environ.get(TRACEBACK):
            raise
        _exit(f'{explanation} ({TRACEBACK}=1 shows where it is raised.)')


def _is_stdout_closed() -> bool:
    """Return whether nobody reads stdout any more, as of ``| head``."""
    try:
        number = sys.stdout.fileno()
    except OSError:
        return False
    poll = select.poll()
    # for hang-ups and errors alone
    poll.register(number, 0)
    return bool(poll.poll(0))


def _explain_unknown_class(error: Exception) -> str | None:
    unknown = _UNKNOWN_CLASS.search(str(error)) if isinstance(error, KeyError) else None
    if unknown is None:
        return None
    return (
        f'the config has type={unknown.group(1)!r}, which is not in the registry '
        f'{unknown.group(2)}: correct the name, or import the module that '
        'registers it by custom_imports.'
    )


def _exit(message: Any) -> None:
    sys.exit(f'Error: {message}')
