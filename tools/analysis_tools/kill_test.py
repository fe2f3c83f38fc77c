# Copyright (c) onestage_pose contributors.
"""Kill a small training again and again, and see that nothing comes of it.

    python tools/analysis_tools/kill_test.py --kills 20

A run that nobody touches comes first. Then, as often as asked for, a run is killed
(SIGKILL, with its dataloader workers) at a random moment, every second one while it
writes a checkpoint, and resumed with ``tools/train.py --resume``. Its last checkpoint
has to hold the untouched run's weights and optimizer, bit for bit.

The report, a table in Markdown, is printed and written to WORK_DIR/report.md; the
exit status is 1 where a run differs. Seed: ``--seed``.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401  (has to come before mmdet)
from onestage_pose.checkpoints import AtomicBackend, find_latest_checkpoint
from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.utils.paths import get_config_path, get_data_root

import torch
from mmengine.utils import track_iter_progress

CONFIG = 'gcm-keypoint-rcnn_r18-w32_fpn_synthetic'
ITERATIONS, INTERVAL = 24, 4
OPTIONS = (
    f'train_cfg.max_iters={ITERATIONS}',
    'train_cfg.val_interval=12',
    f'default_hooks.checkpoint.interval={INTERVAL}',
    'default_hooks.checkpoint.max_keep_ckpts=1',
    'default_hooks.logger.interval=1',
    'train_dataloader.batch_size=2',
    'train_dataloader.dataset.num_images=20',
    'train_dataloader.dataset.img_size=(128,128)',
    'val_dataloader.dataset.num_images=4',
    'val_dataloader.dataset.img_size=(128,128)',
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--kills', type=int, default=20, help='how many runs to kill')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument('--work-dir', type=Path, default='work_dirs/kill_test')
    return parser.parse_args()


def start(work_dir: Path, *words: str) -> subprocess.Popen:
    """Start a training in a group of processes of its own."""
    log = open(work_dir.with_suffix('.log'), 'a')  # noqa: SIM115
    return subprocess.Popen(
        [
            sys.executable,
            str(get_data_root() / 'tools' / 'train.py'),
            str(get_config_path(CONFIG)),
            f'--work-dir={work_dir}',
            *words,
            '--cfg-options',
            *OPTIONS,
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_for(run: subprocess.Popen, work_dir: Path, pattern: str) -> bool:
    """Wait for a file in the work dir; False where the run ends before."""
    while run.poll() is None:
        if any(work_dir.glob(pattern)):
            return True
        time.sleep(0.001)
    return False


def finish(run: subprocess.Popen, work_dir: Path) -> None:
    """Wait for a run to end well."""
    if run.wait() != 0:
        raise SystemExit(
            f'a training ended with status {run.returncode}: '
            f'see {work_dir.with_suffix(".log")}'
        )


def run_untouched(work_dir: Path) -> float:
    """Train to the end; tell how long it took from the first iteration on."""
    run = start(work_dir)
    wait_for(run, work_dir, '*/vis_data/scalars.json')
    begin = time.monotonic()
    finish(run, work_dir)
    return time.monotonic() - begin


def run_and_kill(work_dir: Path, duration: float, saving: bool) -> str | None:
    """Train, kill at a random moment, and tell when that was.

    None where the run was quicker and has ended before.
    """
    run = start(work_dir)
    try:
        if saving:
            # The writing of a checkpoint is seen by its temporary file.
            wanted = random.randint(1, ITERATIONS // INTERVAL)
            temporary = f'.*{AtomicBackend.SUFFIX}'
            seen: set[Path] = set()
            while len(seen) < wanted and wait_for(run, work_dir, temporary):
                seen.update(work_dir.glob(temporary))
            when = f'while checkpoint {wanted} was being written'
        else:
            wait_for(run, work_dir, '*/vis_data/scalars.json')
            moment = random.uniform(0, duration)
            try:
                run.wait(moment)
            except subprocess.TimeoutExpired:
                pass
            when = f'{moment:.1f} s after the first iteration'
    finally:
        ended = run.poll() is not None
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        run.wait()
    return None if ended else when


def differences(one: Any, other: Any, place: str = '') -> list[str]:
    """The places where two states differ."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    if isinstance(one, dict) and one.keys() == other.keys():
        pairs = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, (list, tuple)) and len(one) == len(other):
        pairs = [(i, *pair) for i, pair in enumerate(zip(one, other))]
    else:
        return [] if one == other else [place]
    return [d for key, a, b in pairs for d in differences(a, b, f'{place}.{key}')]


def last_state(work_dir: Path) -> dict:
    """What a run has come to."""
    checkpoint = load_from_local(str(work_dir / f'iter_{ITERATIONS}.pth'), 'cpu')
    return {key: checkpoint[key] for key in ('state_dict', 'optimizer')}


def main() -> int:
    """Kill, resume, compare, tell."""
    args = parse_args()
    random.seed(args.seed)
    if args.work_dir.exists():
        raise SystemExit(f'{args.work_dir} exists; remove it or give --work-dir.')
    args.work_dir.mkdir(parents=True)
    untouched = args.work_dir.resolve() / 'untouched'
    duration = run_untouched(untouched)
    expected = last_state(untouched)
    rows, same = [], 0
    for number in track_iter_progress(list(range(1, args.kills + 1))):
        work_dir = args.work_dir.resolve() / f'killed_{number:02d}'
        while (when := run_and_kill(work_dir, duration, number % 2 == 0)) is None:
            shutil.rmtree(work_dir)
        newest = find_latest_checkpoint(str(work_dir))
        resumed = 'the start' if newest is None else Path(newest).name
        finish(start(work_dir, '--resume'), work_dir)
        differing = differences(expected, last_state(work_dir))
        same += not differing
        verdict = 'identical' if not differing else f'differs in {differing[0]}'
        rows.append(f'| {number} | {when} | {resumed} | {verdict} |')
        if not differing:
            shutil.rmtree(work_dir)
    report = '\n'.join(
        (
            '| run | killed | resumed from | last weights and optimizer |',
            '|---|---|---|---|',
            *rows,
            '',
            f'{same} of {args.kills} identical',
        )
    )
    (args.work_dir / 'report.md').write_text(report + '\n')
    print(f'\n{report}')
    return 0 if same == args.kills else 1


if __name__ == '__main__':
    sys.exit(main())
