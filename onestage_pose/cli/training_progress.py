# Copyright (c) onestage_pose contributors.
"""The course of a training on one screen."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from mmengine.hooks import Hook
from mmengine.runner import Runner

from .progress import describe_seconds

#: Lines of a training in all.
LINES = 10
#: After so many images an evaluation has a line of its own.
LONG = 1000


class TrainingProgress(Hook):
    """Write ten lines, and at a terminal a line between them that counts on.

    Args:
        stream (TextIO): Where to.
    """

    priority = 'LOWEST'

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._is_terminal = stream.isatty()

    def before_train(self, runner: Runner) -> None:
        """Note where the run begins."""
        self._start, self._first = time.monotonic(), runner.iter

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Say how far it is."""
        done, last = runner.iter + 1, runner.max_iters
        is_due = done * LINES // last > (done - 1) * LINES // last
        if not is_due and not self._is_terminal:
            return
        loss = runner.message_hub.get_scalar('train/loss').mean(20)
        seconds = (time.monotonic() - self._start) / (done - self._first)
        text = f'{done:>6}/{last} iterations, loss {loss:.3f}, '
        text += f'{describe_seconds(seconds * (last - done))} left'
        self._write(text, is_due)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence | None = None,
    ) -> None:
        """Say how far an evaluation is, where it is long and at a terminal."""
        done, last = batch_idx + 1, len(runner.val_dataloader)
        is_due = done % LONG == 0
        if is_due or self._is_terminal:
            self._write(f'       validation: {done}/{last} images', is_due)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Say what an evaluation has found."""
        if metrics and 'coco/AP' in metrics:
            text = f'       validation: keypoint AP {metrics["coco/AP"]:.3f}'
            if 'bbox/AP' in metrics:
                text += f', box AP {metrics["bbox/AP"]:.3f}'
            self._write(text, True)

    def _write(self, text: str, ends: bool) -> None:
        before = '\r' if self._is_terminal else ''
        self.stream.write(f'{before}{text:<76}' if before else text)
        self.stream.write('\n' if ends else '')
        self.stream.flush()


@contextlib.contextmanager
def printing_to(path: Path) -> Iterator[TextIO]:
    """Send what is printed to a file, to whose end it is added.

    COCO's evaluation prints tables, and mmengine's log is in its own file.

    Args:
        path (Path): In a folder that exists.

    Yields:
        TextIO: The standard output as it was.
    """
    terminal = sys.stdout
    with (
        open(path, 'a', encoding='utf-8', errors='backslashreplace') as file,
        contextlib.redirect_stdout(file),
    ):
        yield terminal


def show_warnings_only(logger: logging.Logger, stream: TextIO) -> None:
    """Let a logger of mmengine show warnings at a terminal and keep all in its file."""
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)
            handler.setLevel(logging.WARNING)
