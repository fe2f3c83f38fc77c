# Copyright (c) onestage_pose contributors.
"""Train in two processes, and in one with twice the batch size, and compare.

    python tools/analysis_tools/compare_processes.py

Two processes average their gradients. That equals one process with both batches where
the losses are averages over equal numbers of anchors, RoIs and labelled keypoints. The
comparison is made

- with every image twice in a row, so that both processes see the same one and the
  numbers are equal: what is left is the order of summation;
- with images that differ, as in practice: each process divides by its own numbers, as
  in Detectron2 and MMDetection, and batch norm in the keypoint branch sees its own
  RoIs alone.

The losses use all anchors and RoIs, because which ones are sampled would depend on the
process. The report, a table in Markdown, is printed and written to WORK_DIR/report.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.cli.args import positive
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.tables import format_table
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.paths import get_config_path, get_data_root

import torch
from torch import Tensor

CONFIG = 'gcm-keypoint-rcnn_r18-w32_fpn_synthetic'
# indices of a data set, each twice
TWICE = [index for index in range(8) for _ in range(2)]
OPTIONS = (
    'train_cfg.val_interval=1000',
    'default_hooks.checkpoint.interval=1',
    'default_hooks.checkpoint.max_keep_ckpts=-1',
    'default_hooks.logger.interval=1',
    'log_processor.window_size=1',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
    'train_dataloader.dataset.img_size=(128,128)',
    'train_dataloader.sampler.shuffle=False',
    'model.train_cfg.rpn.sampler.num=1000000',
    'model.train_cfg.rcnn.sampler.num=100000',
    'optim_wrapper.type=OptimWrapper',
)
SAME = 'the same image in both'
#: What is compared, and the settings that it takes.
KINDS = {
    SAME: [
        f'train_dataloader.dataset.indices={TWICE}'.replace(' ', ''),
        'train_dataloader.dataset.pipeline.1.prob=0.0',  # no flips
    ],
    'images that differ': [],
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read and check the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--iters', type=positive, default=5, help='iterations, 2 or more (default: 5)'
    )
    parser.add_argument(
        '--work-dir', type=Path, default=Path('work_dirs/two_processes')
    )
    args = parser.parse_args(argv)
    if args.iters < 2:
        parser.error(
            f'--iters: {args.iters} is given, 2 or more are needed: weights are '
            'compared with their change after the first iteration'
        )
    return args


def train(work_dir: Path, processes: int, options: list[str]) -> None:
    """Train with two images a step.

    Args:
        work_dir (Path): Of the training; its output goes to ``output.log`` in it.
        processes (int): 1 or 2.
        options (list[str]): Settings of the config, ``KEY=VALUE``.

    Raises:
        UsageError: The training failed.
    """
    root = get_data_root()
    words = [
        str(get_config_path(CONFIG)),
        f'--work-dir={work_dir}',
        '--no-validate',
        '--cfg-options',
        f'train_dataloader.batch_size={2 // processes}',
        *OPTIONS,
        *options,
    ]
    if processes == 1:
        command = [sys.executable, str(root / 'tools/train.py'), *words]
    else:
        script = str(root / 'tools/dist_train.sh')
        command = ['bash', script, words[0], str(processes), *words[1:]]
    environment = {**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'}
    environment['CUDA_VISIBLE_DEVICES'] = '-1'
    work_dir.mkdir(parents=True, exist_ok=True)
    with open(work_dir / 'output.log', 'w') as log:
        run = subprocess.run(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    if run.returncode != 0:
        raise UsageError(
            f'a training in {processes} process(es) ended with status '
            f'{run.returncode}: see {work_dir}/output.log'
        )


def read_losses(work_dir: Path) -> Tensor:
    """Return the logged losses of a training, (iterations,) float64."""
    [log] = work_dir.glob('*/vis_data/scalars.json')
    return torch.tensor(
        [json.loads(line)['loss'] for line in log.read_text().splitlines()],
        dtype=torch.float64,
    )


def load_weights(work_dir: Path, iteration: int) -> Tensor:
    """Return all parameters of a checkpoint as one vector, float64."""
    path = work_dir / f'iter_{iteration}.pth'
    state = load_from_local(str(path), 'cpu')['state_dict']
    return torch.cat(
        [w.double().flatten() for name, w in state.items() if 'running' not in name]
    )


def compare(work_dir: Path, iters: int, options: list[str]) -> tuple[float, float]:
    """Train in both ways.

    Args:
        work_dir (Path): Of both trainings.
        iters (int): Iterations of each, 2 or more.
        options (list[str]): Settings of the config, ``KEY=VALUE``.

    Returns:
        tuple[float, float]: The largest relative deviation of a loss (of the first
        process, which is what MMEngine logs), and that of the weights: the norm of
        their difference over the norm of their change after the first iteration.
    """
    options = [*options, f'train_cfg.max_iters={iters}']
    runs = {count: work_dir / f'{count}_process' for count in (1, 2)}
    for count, folder in runs.items():
        train(folder, count, options)
    one, two = (read_losses(folder) for folder in runs.values())
    first, last = load_weights(runs[1], 1), load_weights(runs[1], iters)
    change = (last - first).norm()
    difference = (load_weights(runs[2], iters) - last).norm()
    return ((two - one).abs() / one).max().item(), (difference / change).item()


def main(argv: list[str] | None = None) -> None:
    """Train, compare, and report.

    Raises:
        UsageError: The work dir exists, or a training failed.
    """
    args = parse_args(argv)
    if args.work_dir.exists():
        raise UsageError(f'{args.work_dir} exists; remove it or give --work-dir.')
    rows = []
    for number, (kind, options) in enumerate(KINDS.items()):
        folder = args.work_dir.resolve() / str(number)
        loss, weight = compare(folder, args.iters, options)
        rows.append((kind, f'{loss:.1e}', f'{weight:.1e}'))
    report = format_table(('two processes against one', 'losses', 'weights'), rows)
    (args.work_dir / 'report.md').write_text(report + '\n')
    print(report)


if __name__ == '__main__':
    run_tool(main)
