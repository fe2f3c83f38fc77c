# Copyright (c) onestage_pose contributors.
"""Train a model from a config."""

from __future__ import annotations

import argparse

from mmengine.config import Config
from mmengine.runner import Runner

from ..checkpoints.check import check_checkpoint
from ..checkpoints.latest import find_latest_checkpoint
from ..engine.hooks.data_check_hook import check_dataloaders_when_built
from ..utils.config_check import check_loops, find_schedule_beyond_end
from ..utils.errors import UsageError
from .config import finish_config, load_config, use_amp
from .distributed import prepare_dist
from .files import check_annotation_files, check_checkpoint_path
from .runner import build_runner

#: What a config must have to train.
PARTS = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper')


def merge_args(args: argparse.Namespace) -> Config:
    """Make the config of the run out of the file and the command line.

    Raises:
        UsageError: What was typed cannot be used; more in
            :mod:`onestage_pose.cli.config`.
        CheckpointError: There is nothing valid to resume.
    """
    cfg = load_config(args, PARTS)
    if args.amp:
        use_amp(cfg)
    if args.auto_scale_lr:
        if (cfg.get('auto_scale_lr') or {}).get('base_batch_size') is None:
            raise UsageError(
                '--auto-scale-lr: the config does not say which batch size its '
                'learning rate is for; add auto_scale_lr=dict(base_batch_size=16).'
            )
        cfg.auto_scale_lr.enable = True
    if args.resume not in (None, 'auto'):
        cfg.resume = True
        cfg.load_from = args.resume
    finish_config(cfg, args)
    check_loops(cfg.to_dict(), args.config)
    if args.no_validate:
        # Now, for an option may have changed them.
        cfg.val_cfg = None
        cfg.val_dataloader = None
        cfg.val_evaluator = None
    if args.resume == 'auto' or (cfg.get('resume') and cfg.get('load_from') is None):
        latest = find_latest_checkpoint(cfg.work_dir)
        cfg.resume = latest is not None
        # With nothing to resume, the config's own load_from stays.
        cfg.load_from = latest or cfg.get('load_from')
    if cfg.get('load_from') is not None:
        option = '--resume' if cfg.get('resume') else 'load_from'
        check_checkpoint_path(cfg.load_from, option)
    check_annotation_files(cfg, ('train_dataloader', 'val_dataloader'))
    return cfg


def check_start(cfg: Config, runner: Runner) -> None:
    """Compare the checkpoint that a run starts from with its model.

    Called before the data is read, which takes long.

    Raises:
        CheckpointError: It cannot be read, or is of another model.
    """
    resumes = cfg.get('resume', False)
    checkpoint = cfg.get('load_from')
    if checkpoint is not None:
        check_checkpoint(
            checkpoint,
            runner.model,
            fine_tune=not resumes,
            may_lack=() if resumes else cfg.get('load_from_may_lack', ()),
            resumes=resumes,
        )


def build_training(args: argparse.Namespace) -> Runner:
    """Build the runner of a training, and check what can be before it starts.

    Args:
        args (argparse.Namespace): As ``add_train_arguments`` reads it.

    Returns:
        Runner: To be trained by its ``train()``.

    Raises:
        UsageError, CheckpointError: See :func:`merge_args` and :func:`check_start`.
    """
    cfg = merge_args(args)
    prepare_dist(cfg)
    runner = build_runner(cfg)
    if args.resume == 'auto' and not cfg.get('resume'):
        runner.logger.info(
            f'--resume: {runner.work_dir} holds no checkpoint to resume, so training '
            'starts from the beginning.'
        )
    if (remark := find_schedule_beyond_end(cfg.to_dict())) is not None:
        runner.logger.warning(remark)
    check_start(cfg, runner)
    check_dataloaders_when_built(runner)
    return runner


def run(args: argparse.Namespace) -> None:
    """Train, or resume a training."""
    build_training(args).train()
