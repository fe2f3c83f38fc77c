# Copyright (c) onestage_pose contributors.
"""Calibrate what a model says of its keypoints: presence, visibility, covariances.

    python tools/model_converters/calibrate.py CONFIG CHECKPOINT OUT.pth

Evaluates the model on the images of ``val_dataloader``, which it must neither have
trained on nor be tested on, fits a scale and a shift of the logits of its visibility
branch and a factor of its covariances, and writes the checkpoint with them. Everything
else in it stays as it is. Calibrating again starts anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onestage_pose  # noqa: F401  (makes loading checkpoints safe)
from onestage_pose.checkpoints.atomic import replacing
from onestage_pose.checkpoints.check import check_checkpoint
from onestage_pose.cli.args import add_common_arguments
from onestage_pose.cli.config import finish_config, load_config
from onestage_pose.cli.files import check_annotation_files, check_checkpoint_path
from onestage_pose.cli.run import run_tool
from onestage_pose.cli.runner import build_runner
from onestage_pose.evaluation.calibration import fit_covariance_scale, fit_platt
from onestage_pose.evaluation.metrics.keypoint_visibility_metric import MatchedPeople
from onestage_pose.utils.errors import UsageError

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.runner import CheckpointLoader

BRANCH = 'roi_head.keypoint_head.visibility_branch'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config of the model')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('target', type=Path, help='checkpoint to write')
    add_common_arguments(parser)
    return parser.parse_args(argv)


def fit(found: MatchedPeople) -> dict[str, torch.Tensor]:
    """Fit the calibration on matched people.

    Args:
        found (MatchedPeople): Predicted without any calibration.

    Returns:
        dict[str, torch.Tensor]: ``scale`` and ``shift`` (2,), ``covariance_scale`` ().
    """
    labelled = found.visibility > 0
    presence = fit_platt(found.presence.ravel(), labelled.ravel())
    visibility = fit_platt(found.visible[labelled], found.visibility[labelled] == 2)
    scale, shift = np.array([presence, visibility]).T
    factor = fit_covariance_scale(found.errors[labelled], found.covariances[labelled])
    return dict(
        scale=torch.tensor(scale, dtype=torch.float32),
        shift=torch.tensor(shift, dtype=torch.float32),
        covariance_scale=torch.tensor(factor, dtype=torch.float32),
    )


def prepare(args: argparse.Namespace) -> Config:
    """Make the config of an evaluation on ``val_dataloader``, with all that is fitted.

    Raises:
        UsageError: The model has nothing to calibrate, or the file to write exists.
    """
    if args.target.exists():
        raise UsageError(f'{args.target} exists: give another name.')
    check_checkpoint_path(args.checkpoint, 'checkpoint')
    cfg = load_config(args)
    finish_config(cfg, args)
    if not cfg.model.roi_head.keypoint_head.get('visibility_branch'):
        raise UsageError(
            f'{args.config}: model.roi_head.keypoint_head has no visibility_branch to '
            'calibrate.'
        )
    if cfg.get('val_dataloader') is None:
        raise UsageError(f'{args.config} has no val_dataloader to calibrate on.')
    cfg.test_dataloader, cfg.test_cfg = cfg.val_dataloader, ConfigDict()
    cfg.test_evaluator = [dict(type='KeypointVisibilityMetric')]
    cfg.model.test_cfg.output_covariances = True
    for key in (
        *(
            f'{kind}_{part}'
            for kind in ('train', 'val')
            for part in ('dataloader', 'cfg')
        ),
        'val_evaluator',
        'optim_wrapper',
        'param_scheduler',
    ):
        cfg[key] = None
    check_annotation_files(cfg, ('test_dataloader',))
    return cfg


def main(argv: list[str] | None = None) -> None:
    """Evaluate, fit and write."""
    args = parse_args(argv)
    cfg = prepare(args)
    checkpoint = CheckpointLoader.load_checkpoint(args.checkpoint, 'cpu')
    runner = build_runner(cfg)
    check_checkpoint(args.checkpoint, runner.model)
    runner.model.load_state_dict(checkpoint['state_dict'], strict=False)
    branch = runner.model.get_submodule(BRANCH)
    branch.scale.fill_(1.0)
    branch.shift.fill_(0.0)
    branch.covariance_scale.fill_(1.0)
    runner.test()
    (metric,) = runner.test_evaluator.metrics
    for name, value in fit(metric.matched).items():
        checkpoint['state_dict'][f'{BRANCH}.{name}'] = value
        print(f'{name}: {[round(each, 3) for each in value.reshape(-1).tolist()]}')
    args.target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(args.target) as part, open(part, 'wb') as file:
        torch.save(checkpoint, file)


if __name__ == '__main__':
    run_tool(main)
