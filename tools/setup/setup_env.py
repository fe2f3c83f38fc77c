# Copyright (c) onestage_pose contributors.
"""Makes the virtual environment that ``make demo`` and ``make test`` run in.

    python3 tools/setup/setup_env.py .venv            what the program and tests need
    python3 tools/setup/setup_env.py .venv --lint     the linter alone
    python3 tools/setup/setup_env.py .venv --remove

Steps that are done are noted in VENV/setup.json, each with a hash of what it installed
and of the steps before it. A further call goes on at the first step that is not noted
or has changed, so it mends an interrupted one and returns at once when all is there.
All that pip says is in VENV/setup.log.

Only the standard library is used. The syntax stays within Python 3.6, so that an old
Python gets to the message that says so.
"""

import argparse
import hashlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from environment import Environment
from messages import SetupError, say
from python_version import check_python
from step_runner import StepRunner
from steps import plan

GIGABYTES_NEEDED = 9  # 6 installed, 3 of downloads while pip unpacks them
VENV_STEP = 'virtual environment'


def set_up(environment: Environment, lint: bool) -> None:
    """Brings the environment to what the requirements say, or raises SetupError."""
    steps = plan(lint)
    python = '{}.{} {}'.format(*sys.version_info[:2], sys.base_prefix)
    first_key = hashlib.sha256(f'{python} {environment.folder}'.encode()).hexdigest()
    keys, key = {VENV_STEP: first_key}, first_key
    for step in steps:
        key = keys[step.name] = step.key(key)
    if all(environment.done().get(name) == key for name, key in keys.items()):
        if environment.python.exists():
            return
    check_python(lint)
    environment.check_folder()
    with environment.locked():
        install(environment, steps, keys)


def install(environment: Environment, steps: list, keys: dict) -> None:
    """Runs the steps that are not noted with their present key."""
    start, runner, done = time.time(), StepRunner(environment), environment.done()
    say(
        'Setting up {} with Python {}.{}.{}, log in {}'.format(
            environment.folder, *sys.version_info[:3], environment.log
        )
    )
    commands = {step.name: [str(environment.python)] + step.command for step in steps}
    commands[VENV_STEP] = [base_python(), '-m', 'venv', str(environment.folder)]
    if done.get(VENV_STEP) != keys[VENV_STEP] or not environment.python.exists():
        if done:
            say('It was made by another Python or in another place: anew.')
        environment.empty()
        done = {}
    due = [name for name in keys if done.get(name) != keys[name]]
    if any(step.large for step in steps if step.name in due):
        check_disk(environment.folder)
    environment.drop_half_installed()
    for number, name in enumerate(keys, 1):
        if name in due:
            runner.run(commands[name], f'[{number}/{len(keys)}] {name}')
            done[name] = keys[name]
            environment.note(done)
    say(f'Ready in {time.time() - start:.0f} s: {environment.folder}')


def base_python() -> str:
    """This Python, or the one that made the environment this runs in.

    That environment may be the very one that is made anew.
    """
    in_environment = sys.prefix != sys.base_prefix
    return os.path.realpath(sys.executable) if in_environment else sys.executable


def check_disk(folder: Path) -> None:
    """Raises SetupError before the long downloads if they will not fit."""
    free = shutil.disk_usage(str(folder)).free / 1e9
    if free < GIGABYTES_NEEDED:
        raise SetupError(
            f'The disk of {folder} has {free:.1f} GB free; {GIGABYTES_NEEDED} are '
            'needed while PyTorch is installed. Free some, or set the environment up '
            'on another disk: VENV=/path'
        )


def interrupt(_signal, _frame) -> None:
    """Turns a termination into the exception of Ctrl-C, so that pip is ended too."""
    raise KeyboardInterrupt


def main() -> int:
    """Reads the command line and does it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('venv', type=Path, help='folder of the environment')
    parser.add_argument('--lint', action='store_true', help='install the linter alone')
    parser.add_argument('--remove', action='store_true', help='delete the environment')
    args = parser.parse_args()
    folder = Path(os.path.abspath(os.path.expanduser(str(args.venv))))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        environment = Environment(folder)
        if args.remove:
            environment.remove()
            return 0
        set_up(environment, args.lint)
    except SetupError as error:
        print(f'\n{error}\n', file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f'\n{folder} cannot be used for the environment: {error}. Give another '
            'place: VENV=/path\n',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            '\nInterrupted. The same command goes on from this step.', file=sys.stderr
        )
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
