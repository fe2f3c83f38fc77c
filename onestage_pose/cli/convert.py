# Copyright (c) onestage_pose contributors.
"""Convert a checkpoint of Detectron2 to one of this project, and back."""

from __future__ import annotations

import argparse

from mmengine.config import Config

from ..checkpoints.converters import (
    check_against_config,
    default_config,
    from_detectron2,
    read_detectron2,
    read_mmpose,
    to_detectron2,
    write_detectron2,
    write_mmpose,
)
from ..utils.errors import UsageError
from .files import check_checkpoint_path


def check_files(args: argparse.Namespace) -> None:
    """Raise ``UsageError`` for a path before anything is read."""
    check_checkpoint_path(str(args.source), 'SRC')
    if args.config is not None and not args.config.is_file():
        raise UsageError(f'--config: {args.config} does not exist.')
    if args.target.is_dir() or args.target.resolve() == args.source.resolve():
        raise UsageError(f'DST: give the name of another file than {args.target}.')
    if args.target.exists() and not args.force:
        raise UsageError(f'{args.target} exists: give another name, or --force.')
    suffixes = ('.pth', '.pkl', '.pickle') if args.reverse else ('.pth',)
    if args.target.suffix.lower() not in suffixes:
        raise UsageError(f'DST: the name must end in {" or ".join(suffixes)}.')


def load_config(args: argparse.Namespace, weights: dict) -> Config:
    """Return the config given, or the published model's with such weights."""
    return Config.fromfile(args.config or default_config(weights))


def to_mmpose(args: argparse.Namespace) -> tuple[Config, int, list[str]]:
    """Convert to this project; config, number of arrays and what was left out."""
    arrays, unused = read_detectron2(args.source)
    renamed = from_detectron2(arrays, str(args.source))
    config = load_config(args, renamed.weights)
    check_against_config(renamed.weights, config, renamed.left_out)
    write_mmpose(renamed.weights, config, args.target)
    return config, len(renamed.weights), [*renamed.left_out, *unused]


def to_theirs(args: argparse.Namespace) -> tuple[Config, int, list[str]]:
    """Convert to Detectron2; config, number of arrays and what was left out."""
    weights, unused = read_mmpose(args.source)
    renamed = to_detectron2(weights, str(args.source))
    config = load_config(args, weights)
    check_against_config(weights, config)
    write_detectron2(renamed.weights, args.target)
    return config, len(renamed.weights), [*renamed.left_out, *unused]


def run(args: argparse.Namespace) -> None:
    """Check the paths, convert, and print what was written."""
    check_files(args)
    config, number, left_out = (to_theirs if args.reverse else to_mmpose)(args)
    print(f'{args.target}: all {number} arrays of the model')
    print(f'left out: {", ".join(left_out) or "nothing"}')
    print(f'config: {config.filename}')
