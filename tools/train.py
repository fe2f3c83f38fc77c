# Copyright (c) onestage_pose contributors.
"""Train a model from a config. The options are those of MMPose's train.py."""

import argparse

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.checkpoints.check import check_checkpoint
from onestage_pose.checkpoints.latest import find_latest_checkpoint
from onestage_pose.cli.args import add_common_arguments
from onestage_pose.cli.config import finish_config, load_config, use_amp
from onestage_pose.cli.distributed import prepare_dist
from onestage_pose.cli.files import check_annotation_files, check_checkpoint_path
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.runner import build_runner
from onestage_pose.engine.hooks.data_check_hook import check_dataloaders_when_built
from onestage_pose.utils.errors import UsageError

from mmengine.config import Config
from mmengine.runner import Runner


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Train a pose model')
    parser.add_argument('config', help='the training config, a Python file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint, or without a value from the latest valid '
        'one in the work dir (from the start where there is none)',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='train in mixed precision: float16 on a GPU, bfloat16 on a CPU with it',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate while training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the batch size over auto_scale_lr.'
        'base_batch_size',
    )
    add_common_arguments(parser)
    return parser.parse_args(argv)


def merge_args(args: argparse.Namespace) -> Config:
    """Make the config of the run out of the file and the command line.

    Raises:
        UsageError: What was typed cannot be used; more in
            :mod:`onestage_pose.cli.config`.
        CheckpointError: There is nothing valid to resume.
    """
    cfg = load_config(args)
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


def main(argv: list[str] | None = None) -> None:
    """Train, or resume a training."""
    args = parse_args(argv)
    cfg = merge_args(args)
    prepare_dist(cfg)
    runner = build_runner(cfg)
    if args.resume == 'auto' and not cfg.get('resume'):
        runner.logger.info(
            f'--resume: {runner.work_dir} holds no checkpoint to resume, so training '
            'starts from the beginning.'
        )
    check_start(cfg, runner)
    check_dataloaders_when_built(runner)
    runner.train()


if __name__ == '__main__':
    run_tool(main)
