# Copyright (c) onestage_pose contributors.
"""Evaluate a checkpoint. The options are those of MMPose's test.py."""

import argparse
import os
import os.path as osp

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.checkpoints.check import check_checkpoint
from onestage_pose.cli.args import add_common_arguments
from onestage_pose.cli.config import finish_config, load_config
from onestage_pose.cli.distributed import prepare_dist
from onestage_pose.cli.files import (
    check_annotation_files,
    check_checkpoint_path,
    check_writable,
)
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.runner import build_runner
from onestage_pose.engine.hooks.data_check_hook import check_dataloaders_when_built
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.mixed_precision import can_autocast

import mmengine
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process

_OUT_SUFFIXES = ('.json', '.yaml', '.yml', '.pkl', '.pickle')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Test (and evaluate) a pose model')
    parser.add_argument('config', help='the config of the model, a Python file')
    parser.add_argument('checkpoint', help='the checkpoint, a file or an address')
    parser.add_argument(
        '--out', help=f'write the metrics to this file ({", ".join(_OUT_SUFFIXES)})'
    )
    parser.add_argument(
        '--dump', help='write the predictions to this file (.pkl or .pickle)'
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='predict in mixed precision: float16 on a GPU, bfloat16 on a CPU with it',
    )
    add_common_arguments(parser)
    return parser.parse_args(argv)


def merge_args(args: argparse.Namespace) -> Config:
    """Make the config of the run out of the file and the command line.

    Raises:
        UsageError: What was typed cannot be used; more in
            :mod:`onestage_pose.cli.config`.
    """
    check_checkpoint_path(args.checkpoint, 'checkpoint')
    _check_file_name('--out', args.out, _OUT_SUFFIXES)
    _check_file_name('--dump', args.dump, _OUT_SUFFIXES[-2:])
    cfg = load_config(args)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if cfg.get('test_dataloader') is None or cfg.get('test_evaluator') is None:
        raise UsageError(
            f'{args.config} has no test_dataloader or no test_evaluator: there is '
            'nothing to test on.'
        )
    if args.amp:
        cfg.test_cfg.fp16 = can_autocast(get_device(), torch.bfloat16, 'predicts')
    if args.dump is not None:
        metrics = cfg.test_evaluator
        metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        dump = dict(type='DumpResults', out_file_path=args.dump)
        cfg.test_evaluator = [*metrics, dump]
    finish_config(cfg, args)
    check_annotation_files(cfg, ('test_dataloader',))
    return cfg


def main(argv: list[str] | None = None) -> None:
    """Evaluate, and write the metrics where that is asked for."""
    args = parse_args(argv)
    cfg = merge_args(args)
    prepare_dist(cfg)
    runner = build_runner(cfg)
    check_checkpoint(cfg.load_from, runner.model)
    check_dataloaders_when_built(runner)
    metrics = runner.test()
    if args.out is not None and is_main_process():
        mmengine.dump(metrics, args.out)


def _check_file_name(option: str, path: str | None, suffixes: tuple[str, ...]) -> None:
    if path is None:
        return
    if not path.endswith(suffixes):
        raise UsageError(f'{option} {path}: the name has to end in {suffixes}.')
    check_writable(osp.dirname(osp.abspath(path)), option)
    if osp.isdir(path) or (osp.exists(path) and not os.access(path, os.W_OK)):
        raise UsageError(f'{option} {path}: this file cannot be written.')


if __name__ == '__main__':
    run_tool(main)
