# Copyright (c) onestage_pose contributors.
"""Convert a checkpoint of Detectron2 or torchvision to this project, and back."""

from __future__ import annotations

import argparse

from mmengine.config import Config

from ..checkpoints.converters import (
    check_against_config,
    convert_checkpoint,
    default_config,
    read_mmpose,
    to_detectron2,
    to_torchvision,
    write_detectron2,
    write_torchvision,
)
from ..checkpoints.converters.convert import (
    TORCHVISION_CONFIG,
    computes_as_torchvision,
)
from ..utils.errors import UsageError
from ..utils.paths import get_config_path
from .files import check_checkpoint_path, count

# How many batches a layer has seen, which nothing here reads.
_COUNTER = '.num_batches_tracked'


def check_files(args: argparse.Namespace) -> None:
    """Raise ``UsageError`` for a path before anything is read."""
    check_checkpoint_path(str(args.source), 'SRC')
    if args.config is not None and not args.config.is_file():
        raise UsageError(f'--config: {args.config} does not exist.')
    if args.target.is_dir() or args.target.resolve() == args.source.resolve():
        raise UsageError(f'DST: give the name of another file than {args.target}.')
    if args.target.exists() and not args.force:
        raise UsageError(f'{args.target} exists: give another name, or --force.')
    if args.to is not None and not args.reverse:
        raise UsageError('--to says which program --reverse is for: add --reverse.')
    suffixes = ('.pth',)
    if args.reverse and args.to != 'torchvision':
        suffixes = ('.pth', '.pkl', '.pickle')
    if args.target.suffix.lower() not in suffixes:
        raise UsageError(f'DST: the name must end in {" or ".join(suffixes)}.')


def to_mmpose(args: argparse.Namespace) -> tuple[Config, int, list[str]]:
    """Convert to this project; config, number of arrays and what was left out."""
    done = convert_checkpoint(args.source, args.target, args.config)
    return done.config, done.number, done.left_out


def to_theirs(args: argparse.Namespace) -> tuple[Config, int, list[str]]:
    """Convert to the other program; config, arrays and what was left out.

    Raises:
        UsageError: The config is of the other program's model.
    """
    weights, unused = read_mmpose(args.source)
    to_it = args.to == 'torchvision'
    renamed = (to_torchvision if to_it else to_detectron2)(weights, str(args.source))
    by_default = get_config_path(TORCHVISION_CONFIG) if to_it else None
    config = Config.fromfile(args.config or by_default or default_config(weights))
    if computes_as_torchvision(config) != to_it:
        other = 'detectron2' if to_it else 'torchvision'
        raise UsageError(
            f"--config: {config.filename} computes as {other}'s model does; give "
            f'--to {other}, or the config of the model that {args.source} is of.'
        )
    check_against_config(weights, config)
    (write_torchvision if to_it else write_detectron2)(renamed.weights, args.target)
    return config, len(renamed.weights), [*renamed.left_out, *unused]


def run(args: argparse.Namespace) -> None:
    """Check the paths, convert, and print what was written."""
    check_files(args)
    config, number, left_out = (to_theirs if args.reverse else to_mmpose)(args)
    print(f'{args.target}: all {number} arrays of the model')
    print(f'left out: {", ".join(shorten(left_out)) or "nothing"}')
    print(f'config: {config.filename}')


def shorten(left_out: list[str]) -> list[str]:
    """Name the counters of torchvision's normalisation layers together."""
    names = [name for name in left_out if not name.endswith(_COUNTER)]
    if len(names) < len(left_out):
        layers = count(len(left_out) - len(names), 'layer', 'layers')
        names.append(f'num_batches_tracked of {layers}')
    return names
