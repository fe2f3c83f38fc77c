# Copyright (c) onestage_pose contributors.
"""Kill a small training again and again, resume it, and compare the results.

    python tools/analysis_tools/kill_test.py --kills 20

An uninterrupted run comes first. Each further run is killed (SIGKILL, with its
dataloader workers) at a random moment, every second one while it writes a checkpoint,
and resumed with ``tools/train.py --resume``. Its last checkpoint has to hold the
weights and the optimizer state of the uninterrupted run, bit for bit.

The trainings are forked from a process that has imported PyTorch and MMDetection, so
that a run takes seconds: four kills are meant to take three minutes at most on two idle
CPU cores. What is waited for is shown on the way. The report, a table in Markdown, is
printed and written to WORK_DIR/report.md; the exit status is 1 where a run differs.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.checkpoints import AtomicBackend, find_latest_checkpoint
from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.cli.args import positive
from onestage_pose.cli.programs import start_program
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.tables import format_table
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.paths import get_config_path, get_data_root

import torch
from rich.console import Console

CONFIG = 'gcm-keypoint-rcnn_r18-w32_fpn_synthetic'
ITERATIONS, SAVE_INTERVAL = 8, 2
OPTIONS = (
    f'train_cfg.max_iters={ITERATIONS}',
    'train_cfg.val_interval=4',
    f'default_hooks.checkpoint.interval={SAVE_INTERVAL}',
    'default_hooks.checkpoint.max_keep_ckpts=1',
    'default_hooks.logger.interval=1',
    'train_dataloader.batch_size=2',
    'train_dataloader.dataset.num_images=20',
    'train_dataloader.dataset.img_size=(128,128)',
    'val_dataloader.dataset.num_images=2',
    'val_dataloader.dataset.img_size=(128,128)',
    # a quarter of the channels
    'model.backbone.base_channels=8',
    'model.neck.in_channels=[8,16,32,64]',
    'model.neck.out_channels=16',
    'model.rpn_head.in_channels=16',
    'model.rpn_head.feat_channels=16',
    'model.roi_head.bbox_roi_extractor.out_channels=16',
    'model.roi_head.bbox_head.in_channels=16',
    'model.roi_head.bbox_head.fc_out_channels=64',
    'model.roi_head.keypoint_roi_extractor.out_channels=16',
    'model.roi_head.keypoint_head.in_channels=16',
    'model.roi_head.keypoint_head.conv_out_channels=32',
)
# how often a run may end before it could be killed
ATTEMPTS = 3


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--kills', type=positive, default=4, help='runs to kill (default: 4)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='of the random moments (default: 0)'
    )
    parser.add_argument(
        '--timeout',
        type=positive,
        default=300,
        metavar='SECONDS',
        help='give up when a run does not reach its next iteration in so many seconds '
        '(default: 300)',
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/kill_test'))
    return parser.parse_args(argv)


class Progress:
    """Tells on stderr what is waited for, with the seconds since the start."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._start = time.monotonic()
        #: what is told in front of each message
        self.title = ''

    def show(self, message: str) -> None:
        """Print a line."""
        elapsed = time.monotonic() - self._start
        self._console.print(f'{elapsed:5.0f} s  {self.title}: {message}', markup=False)


class Training:
    """A training in a group of processes of its own.

    Args:
        work_dir (Path): Its work dir; its output goes to a file beside, ``.log``.
        progress (Progress): Told each iteration.
        timeout (float): Seconds that it may take to reach its next iteration.
        *words (str): Further words for ``tools/train.py``.
    """

    def __init__(
        self, work_dir: Path, progress: Progress, timeout: float, *words: str
    ) -> None:
        self.work_dir, self.progress, self.timeout = work_dir, progress, timeout
        self.log = work_dir.with_suffix('.log')
        self._earlier_logs = set(self._find_logs())
        self.process = self.start(*words)

    def start(self, *words: str) -> BaseProcess:
        """Start ``tools/train.py``."""
        words = (str(get_config_path(CONFIG)), f'--work-dir={self.work_dir}', *words)
        return start_program(
            get_data_root() / 'tools' / 'train.py',
            [*words, '--cfg-options', *OPTIONS],
            self.log,
        )

    def _find_logs(self) -> list[Path]:
        return list(self.work_dir.glob('*/vis_data/scalars.json'))

    def read_iteration(self) -> int:
        """Return the last iteration that was logged, 0 before the first one."""
        latest = 0
        for path in set(self._find_logs()) - self._earlier_logs:
            # the last line may be half written
            for line in path.read_text().split('\n')[:-1]:
                latest = max(latest, json.loads(line).get('iter', 0))
        return latest

    def wait_until(
        self, is_reached: Callable[[int], bool], what: str, interval: float = 0.02
    ) -> bool:
        """Wait for something that a running training does.

        Args:
            is_reached (Callable[[int], bool]): Takes the last iteration.
            what (str): What is waited for, to be shown.
            interval (float): Seconds between two looks.

        Returns:
            bool: False where the training ended before.

        Raises:
            UsageError: The timeout is over; the training is killed then.
        """
        self.progress.show(f'waits for {what}')
        iteration, since = self.read_iteration(), time.monotonic()
        while self.process.exitcode is None:
            if is_reached(iteration):
                return True
            if time.monotonic() - since > self.timeout:
                self.kill()
                raise UsageError(
                    f'a training did not go on for {self.timeout:g} s after iteration '
                    f'{iteration} while the test waited for {what}: see {self.log}, or '
                    'give more seconds with --timeout.'
                )
            time.sleep(interval)
            if (now := self.read_iteration()) != iteration:
                iteration, since = now, time.monotonic()
                self.progress.show(f'iteration {iteration} of {ITERATIONS}')
        return False

    def finish(self) -> list[float]:
        """Wait for the training to succeed.

        Returns:
            list[float]: When each iteration was logged, and when the training ended, in
            seconds after the first of them.

        Raises:
            UsageError: It failed, or the timeout is over.
        """
        times, seen = [], 0

        def note(iteration: int) -> bool:
            nonlocal seen
            times.extend([time.monotonic()] * (iteration - seen))
            seen = iteration
            return False

        self.wait_until(note, 'the end')
        note(self.read_iteration())
        self.check_status()
        times.append(time.monotonic())
        return [each - times[0] for each in times]

    def check_status(self) -> None:
        """Raise ``UsageError`` where the training has ended, and failed."""
        if self.process.exitcode:
            raise UsageError(
                f'a training ended with status {self.process.exitcode}: see {self.log}'
            )

    def kill(self) -> bool:
        """Kill all processes of the training; return whether it was still running."""
        running = self.process.exitcode is None
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:  # not yet a group, or gone
            self.process.kill()
        self.process.join()
        return running


def kill_at_moment(training: Training, moment: float, times: list[float]) -> str:
    """Wait for a moment of a training, and tell when it is.

    Args:
        training (Training): That has just been started.
        moment (float): Seconds after the first iteration of an uninterrupted run.
        times (list[float]): When that run logged each iteration, and its end. The
            moment is counted from its latest iteration, as speeds differ.

    Returns:
        str: The moment in words.
    """
    iteration = bisect.bisect_right(times[:-1], moment)
    delay = moment - times[iteration - 1]
    when = f'{delay:.1f} s after iteration {iteration}'
    if training.wait_until(lambda now: now >= iteration, f'iteration {iteration}'):
        training.process.join(delay)
    return when


def kill_at_checkpoint(training: Training, iteration: int) -> str | None:
    """Wait until a training writes a checkpoint, and tell which.

    Returns:
        str | None: None where it was written too fast to be seen.
    """
    name = f'iter_{iteration}.pth'
    # The writing is seen by a temporary file, which is there for milliseconds.
    pattern = f'.{name}.*{AtomicBackend.SUFFIX}'
    writing = False

    def is_writing(now: int) -> bool:
        nonlocal writing
        writing = any(training.work_dir.glob(pattern))
        return writing or now > iteration

    before = iteration - 1
    if training.wait_until(lambda now: now >= before, f'iteration {before}'):
        training.wait_until(is_writing, f'the writing of {name}', interval=0.001)
    return f'while {name} was being written' if writing else None


def run_and_kill(
    start: Callable[[], Training], times: list[float], at_checkpoint: bool
) -> str:
    """Train and kill at a random moment.

    Args:
        start (Callable[[], Training]): Starts a training.
        times (list[float]): See :func:`kill_at_moment`.
        at_checkpoint (bool): Whether to kill while a checkpoint is being written.

    Returns:
        str: When that was, in words.

    Raises:
        UsageError: The training failed, or was too fast several times.
    """
    for _ in range(ATTEMPTS):
        training = start()
        try:
            if at_checkpoint:
                number = random.randint(1, ITERATIONS // SAVE_INTERVAL)
                when = kill_at_checkpoint(training, number * SAVE_INTERVAL)
            else:
                when = kill_at_moment(training, random.uniform(0, times[-1]), times)
            training.check_status()
        finally:
            running = training.kill()
        if running and when is not None:
            training.progress.show(f'killed {when}')
            return when
        training.progress.show('was too fast to be killed, starts again')
        shutil.rmtree(training.work_dir, ignore_errors=True)
    raise UsageError(
        f'a training was too fast to be killed {ATTEMPTS} times: see {training.log}'
    )


def find_differences(one: Any, other: Any, place: str = '') -> list[str]:
    """Return the places where two nested states differ, as dotted names."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    if isinstance(one, dict) and one.keys() == other.keys():
        pairs = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple) and len(one) == len(other):
        pairs = [(i, *pair) for i, pair in enumerate(zip(one, other))]
    else:
        return [] if one == other else [place]
    return [d for key, a, b in pairs for d in find_differences(a, b, f'{place}.{key}')]


def load_last_state(work_dir: Path) -> dict:
    """Return the weights and the optimizer state at the end of a training."""
    checkpoint = load_from_local(str(work_dir / f'iter_{ITERATIONS}.pth'), 'cpu')
    return {key: checkpoint[key] for key in ('state_dict', 'optimizer')}


def main(argv: list[str] | None = None) -> None:
    """Kill, resume, compare, and report.

    Raises:
        UsageError: The work dir exists, or a training failed or hung.
        SystemExit: With status 1, where a run differs.
    """
    args = parse_args(argv)
    random.seed(args.seed)
    if args.work_dir.exists():
        raise UsageError(f'{args.work_dir} exists; remove it or give --work-dir.')
    args.work_dir.mkdir(parents=True)
    folder, progress = args.work_dir.resolve(), Progress()
    progress.title = 'uninterrupted run'
    uninterrupted = folder / 'uninterrupted'
    training = Training(uninterrupted, progress, args.timeout)
    try:
        times = training.finish()
    finally:
        training.kill()
    expected = load_last_state(uninterrupted)
    rows, same = [], 0
    for number in range(1, args.kills + 1):
        progress.title = f'run {number} of {args.kills}'
        work_dir = folder / f'killed_{number:02d}'
        when = run_and_kill(
            lambda work_dir=work_dir: Training(work_dir, progress, args.timeout),
            times,
            at_checkpoint=number % 2 == 0,
        )
        latest = find_latest_checkpoint(str(work_dir))
        resumed = 'the start' if latest is None else Path(latest).name
        progress.show(f'resumes from {resumed}')
        training = Training(work_dir, progress, args.timeout, '--resume')
        try:
            training.finish()
        finally:
            training.kill()
        differing = find_differences(expected, load_last_state(work_dir))
        same += not differing
        verdict = 'identical' if not differing else f'differs in {differing[0]}'
        progress.show(verdict)
        rows.append((number, when, resumed, verdict))
        if not differing:
            shutil.rmtree(work_dir)
    table = format_table(
        ('run', 'killed', 'resumed from', 'last weights and optimizer'), rows
    )
    report = f'{table}\n\n{same} of {args.kills} identical'
    (args.work_dir / 'report.md').write_text(report + '\n')
    print(report)
    if same < args.kills:
        raise SystemExit(1)


if __name__ == '__main__':
    run_tool(main)
