# Copyright (c) onestage_pose contributors.
"""The terminal shows the course of a run; its log file holds everything."""

import contextlib
import io
import logging
from pathlib import Path
from typing import NamedTuple

from onestage_pose.cli.runner import TerminalFilter, quiet_terminal

import pytest
from mmengine.logging import MMLogger

from tests.tool_runs import run_tool
from tests.toy_pose import write_config


def shown(message: str, level: int = logging.INFO) -> bool:
    record = logging.LogRecord('mmengine', level, '', 0, message, None, None)
    return TerminalFilter().filter(record)


@pytest.mark.parametrize(
    'message',
    [
        'Iter(train) [50/100]  loss: 4.1',
        'Saving checkpoint at 3 iterations',
        'Person keypoints\n AP AR\n 0.5 0.6',
    ],
)
def test_the_course_of_a_run_is_shown(message: str) -> None:
    assert shown(message)


@pytest.mark.parametrize(
    'message',
    [
        'Config:\n' + 'a = 1\n' * 100,
        'paramwise_options -- backbone.bn1.weight:weight_decay=0.0',
    ],
)
def test_what_fills_a_screen_is_not_shown(message: str) -> None:
    assert not shown(message)


def test_frozen_weights_are_not_shown() -> None:
    message = 'backbone.conv1.weight is skipped since its requires_grad=False'

    assert not shown(message, logging.WARNING)


def test_long_error_is_shown() -> None:
    assert shown('line\n' * 100, logging.ERROR)


def test_file_is_not_filtered(tmp_path: Path) -> None:
    logger = MMLogger('quiet', log_file=str(tmp_path / 'it.log'))
    quiet_terminal(logger)

    logger.info('line\n' * 100)

    assert (tmp_path / 'it.log').read_text().count('line') == 100


class Run(NamedTuple):
    """What a training has left: the text of the terminal and of its log file."""

    terminal: str
    log: str


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp('run')
    config = write_config(folder, optim_wrapper__paramwise_cfg=dict(bias_lr_mult=2.0))
    terminal = io.StringIO()
    with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
        run_tool('train', config)
    (log,) = folder.glob('work/*/*.log')
    return Run(terminal.getvalue(), log.read_text())


def test_training_fits_on_a_screen(run: Run) -> None:
    assert len(run.terminal.splitlines()) <= 40, run.terminal


def test_training_shows_its_course(run: Run) -> None:
    assert 'Epoch(val) [2][3/3]    coco/AP' in run.terminal


def test_training_names_its_log_file(run: Run) -> None:
    (line,) = (line for line in run.terminal.splitlines() if 'all messages: ' in line)

    assert line.endswith('.log')


@pytest.mark.parametrize(
    'text', ['optimizer=dict(lr=0.1', 'PyTorch compiling details', 'paramwise_options']
)
def test_log_file_has_what_the_terminal_has_not(run: Run, text: str) -> None:
    assert text in run.log
    assert text not in run.terminal


def test_clean_training_shows_no_warning(run: Run) -> None:
    assert 'WARNING' not in run.terminal
    assert 'Warning' not in run.terminal
