# Copyright (c) onestage_pose contributors.
"""Convert a Keypoint R-CNN of Detectron2 to a checkpoint of this project, and back.

    python tools/model_converters/detectron2_to_mmpose.py model_final_a6e10b.pkl r50.pth
    python tools/model_converters/detectron2_to_mmpose.py model_final.pth gcm.pth
    python tools/model_converters/detectron2_to_mmpose.py --reverse gcm.pth back.pth

SRC is a `.pkl` of Detectron2's model zoo or a `.pth` of a training, the released ones
of arXiv 2301.04842 among them; ResNet-50, ResNet-101 or ResNeXt-101-32x8d, told apart
by their arrays. Nothing that a file might hold beside weights is run. The file written
goes with the config that is named at the end. With --reverse SRC is a checkpoint of
this project; DST is read by Detectron2, `.pkl` or `.pth`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.checkpoints.converters import (
    check_against_config,
    default_config,
    from_detectron2,
    read_detectron2,
    read_mmpose,
    to_detectron2,
    write_detectron2,
    write_mmpose,
)
from onestage_pose.cli.files import check_checkpoint_path
from onestage_pose.cli.run import run_tool
from onestage_pose.utils.errors import UsageError

from mmengine.config import Config


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, metavar='SRC', help='checkpoint to read')
    parser.add_argument('target', type=Path, metavar='DST', help='file to write')
    parser.add_argument(
        '--config',
        type=Path,
        help="config of the model (default: this project's of the same backbone)",
    )
    parser.add_argument(
        '--reverse', action='store_true', help='from this project to Detectron2'
    )
    parser.add_argument(
        '--force', action='store_true', help='write over DST if it exists'
    )
    return parser.parse_args(argv)


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


def main(argv: list[str] | None = None) -> None:
    """Check the paths, convert, and print what was written."""
    args = parse_args(argv)
    check_files(args)
    config, number, left_out = (to_theirs if args.reverse else to_mmpose)(args)
    print(f'{args.target}: all {number} arrays of the model')
    print(f'left out: {", ".join(left_out) or "nothing"}')
    print(f'config: {config.filename}')


if __name__ == '__main__':
    run_tool(main)
