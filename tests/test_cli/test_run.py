# Copyright (c) onestage_pose contributors.
"""What the user can mend is said in one line; a defect has its traceback."""

import subprocess
import sys
from typing import Any

from onestage_pose.cli.run import run_tool
from onestage_pose.utils.errors import (
    BrokenCheckpointError,
    ConfigNameError,
    ConfigValueError,
    NonFiniteError,
    PreemptedError,
    RunInterruptedError,
    UsageError,
)

import pytest

from tests.tool_runs import REPOSITORY


def raising(error: BaseException) -> Any:
    """A tool that ends by an error."""

    def main(argv: Any) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    'error',
    [
        UsageError('say'),
        ConfigNameError('say'),
        ConfigValueError('say'),
        BrokenCheckpointError('say'),
        NonFiniteError('say'),
        FileNotFoundError('say'),
    ],
)
def test_what_the_user_can_mend_is_said_in_one_line(error: Exception) -> None:
    with pytest.raises(SystemExit) as exit_:
        run_tool(raising(error))

    assert exit_.value.code == 'Error: say'


def test_other_errors_are_raised() -> None:
    with pytest.raises(TypeError, match='a defect'):
        run_tool(raising(TypeError('a defect')))


def test_sigterm_ends_with_its_own_status(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as exit_:
        run_tool(raising(PreemptedError('saved')))

    assert exit_.value.code == 143
    assert 'saved' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('error', 'told'),
    [
        (RunInterruptedError('at frame 7'), 'at frame 7\n'),
        (KeyboardInterrupt(), 'Interrupted.\n'),
    ],
)
def test_ctrl_c_is_one_line_with_the_status_of_a_shell(
    error: BaseException, told: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as exit_:
        run_tool(raising(error))

    assert exit_.value.code == 130
    assert capsys.readouterr().err == told


def test_a_class_that_no_registry_has_is_named() -> None:
    error = KeyError('Typo is not in the mmpose::model registry')

    with pytest.raises(SystemExit, match="type='Typo'.*mmpose::model.*custom_imports"):
        run_tool(raising(error))


def test_a_reader_that_leaves_is_no_error() -> None:
    program = (
        'from onestage_pose.cli.run import run_tool\n'
        'run_tool(lambda _: print(10**6 * "far too much "))'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    process.stdout.close()

    assert process.stderr.read() == ''
    assert process.wait() == 1


def test_other_broken_pipes_are_raised() -> None:
    with pytest.raises(BrokenPipeError):
        run_tool(raising(BrokenPipeError('of a worker')))
