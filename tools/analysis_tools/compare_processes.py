# Copyright (c) onestage_pose contributors.
"""Train in two processes, and in one with twice the batch, and compare.

    python tools/analysis_tools/compare_processes.py

Two processes average their gradients, which is the same as one process with both
batches where their losses are averages over like numbers: of anchors, of RoIs, of
keypoints that count. It is compared

- with every picture twice in a row, so that both processes see the same one and
  the numbers are equal: what is left is the order of summation;
- with pictures that differ, as in practice: each process divides by its own
  numbers, as in Detectron2 and MMDetection, and batch norm in the keypoint branch
  sees its own RoIs alone.

All anchors and RoIs are taken for the losses, for the ones that are sampled depend on
the process. The report, a table in Markdown, is printed and written to
WORK_DIR/report.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import onestage_pose  # noqa: F401  (has to come before mmdet)
from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.utils.paths import get_config_path, get_data_root

import torch

CONFIG = 'gcm-keypoint-rcnn_r18-w32_fpn_synthetic'
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


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--iters', type=int, default=5, help='2 or more')
    parser.add_argument('--work-dir', type=Path, default='work_dirs/two_processes')
    return parser.parse_args()


def train(work_dir: Path, processes: int, options: list[str]) -> None:
    """Train with two pictures a step."""
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
        raise SystemExit(f'{command} failed: see {work_dir}/output.log')


def losses(work_dir: Path) -> torch.Tensor:
    """(iterations,) float64."""
    [log] = work_dir.glob('*/vis_data/scalars.json')
    return torch.tensor(
        [json.loads(line)['loss'] for line in log.read_text().splitlines()],
        dtype=torch.float64,
    )


def weights(work_dir: Path, iteration: int) -> torch.Tensor:
    """All parameters in one vector, float64."""
    path = work_dir / f'iter_{iteration}.pth'
    state = load_from_local(str(path), 'cpu')['state_dict']
    return torch.cat(
        [w.double().flatten() for name, w in state.items() if 'running' not in name]
    )


def compare(work_dir: Path, iters: int, options: list[str]) -> tuple[float, float]:
    """Train both ways.

    Returns:
        The largest relative deviation of a loss (of the first process, which is
        what MMEngine logs), and of the weights: the norm of their difference over
        the norm of their change after the first iteration.
    """
    options = [*options, f'train_cfg.max_iters={iters}']
    runs = {count: work_dir / f'{count}_process' for count in (1, 2)}
    for count, folder in runs.items():
        train(folder, count, options)
    one, two = (losses(folder) for folder in runs.values())
    first, last = weights(runs[1], 1), weights(runs[1], iters)
    change = (last - first).norm()
    difference = (weights(runs[2], iters) - last).norm()
    return ((two - one).abs() / one).max().item(), (difference / change).item()


def main() -> None:
    """Train, compare, tell."""
    args = parse_args()
    if args.work_dir.exists():
        raise SystemExit(f'{args.work_dir} exists; remove it or give --work-dir.')
    flip = 'train_dataloader.dataset.pipeline.1.prob'
    kinds = {
        'the same picture in both': [
            f'train_dataloader.dataset.indices={TWICE}'.replace(' ', ''),
            f'{flip}=0.0',
        ],
        'pictures that differ': [],
    }
    rows = []
    for number, (kind, options) in enumerate(kinds.items()):
        folder = args.work_dir.resolve() / str(number)
        loss, weight = compare(folder, args.iters, options)
        rows.append(f'| {kind} | {loss:.1e} | {weight:.1e} |')
    report = '\n'.join(
        (
            '| two processes against one | losses | weights |',
            '|---|---|---|',
            *rows,
        )
    )
    (args.work_dir / 'report.md').write_text(report + '\n')
    print(report)


if __name__ == '__main__':
    main()
