# Copyright (c) onestage_pose contributors.
"""Evaluate a checkpoint."""

from __future__ import annotations

import argparse
import os
import os.path as osp

import mmengine
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process

from ..apis.building import find_model
from ..checkpoints.check import check_checkpoint
from ..engine.hooks.data_check_hook import check_dataloaders_when_built
from ..utils.config_check import check_loops
from ..utils.errors import UsageError
from ..utils.mixed_precision import can_autocast
from .config import finish_config, load_config
from .distributed import prepare_dist
from .files import check_annotation_files, check_checkpoint_path, check_writable
from .parsers import TEST_OUT_SUFFIXES
from .runner import build_runner


def merge_args(args: argparse.Namespace) -> Config:
    """Make the config of the run out of the file and the command line.

    Raises:
        UsageError: What was typed cannot be used; more in
            :mod:`onestage_pose.cli.config`.
    """
    args.config, args.checkpoint = find_model(args.config, args.checkpoint)
    check_checkpoint_path(args.checkpoint, 'checkpoint')
    _check_file_name('--out', args.out, TEST_OUT_SUFFIXES)
    _check_file_name('--dump', args.dump, TEST_OUT_SUFFIXES[-2:])
    cfg = load_config(args, ('model',))
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
    check_loops(cfg.to_dict(), args.config)
    check_annotation_files(cfg, ('test_dataloader',))
    return cfg


def run(args: argparse.Namespace) -> None:
    """Evaluate, and write the metrics where that is asked for."""
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
