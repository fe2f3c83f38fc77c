# Copyright (c) onestage_pose contributors.
"""A runner whose terminal shows the course of a run and its log file all of it."""

import logging
import re
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

#: Longer messages (the environment, the config, the list of hooks) go to the file.
MAX_LINES = 8

# One line for each weight, and what mmengine says of its own use of itself.
_FILE_ONLY = re.compile(
    r'paramwise_options -- '
    r'|\S+ is skipped since its requires_grad=False'
    r'|"(FileClient|HardDiskBackend)" (will be deprecated|is the alias)'
)


class TerminalFilter(logging.Filter):
    """Keep from the terminal what is for the log file alone.

    That is: messages of more than :data:`MAX_LINES` lines, those with a line for each
    weight of a model, and mmengine's advice to its own developers. Errors are shown
    whatever their length.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown."""
        if record.levelno >= logging.ERROR:
            return True
        message = record.getMessage()
        is_short = len(message.strip().splitlines()) <= MAX_LINES
        return is_short and _FILE_ONLY.match(message) is None


class QuietRunner(Runner):
    """mmengine's runner with :class:`TerminalFilter` at the terminal."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build mmengine's logger, and say where its file is."""
        logger = super().build_logger(*args, **kwargs)
        quiet_terminal(logger)
        logger.info(f'Config, environment and all messages: {logger.log_file}')
        return logger


def quiet_terminal(logger: MMLogger) -> None:
    """Put :class:`TerminalFilter` before the terminal of a logger."""
    for handler in logger.handlers:
        is_terminal = type(handler) is logging.StreamHandler
        if is_terminal and not any(
            isinstance(each, TerminalFilter) for each in handler.filters
        ):
            handler.addFilter(TerminalFilter())


def build_runner(cfg: Config) -> Runner:
    """Build the runner of a config.

    Args:
        cfg (Config): The config of a training or a test.

    Returns:
        Runner: A :class:`QuietRunner`, or what ``runner_type`` in the config names.
    """
    return RUNNERS.build(cfg) if 'runner_type' in cfg else QuietRunner.from_cfg(cfg)
