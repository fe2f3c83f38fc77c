# Copyright (c) onestage_pose contributors.
"""Writes a whole model, from picture to people, as one ONNX graph.

    python tools/deployment/export_onnx.py CONFIG CHECKPOINT OUT.onnx
    python tools/deployment/export_onnx.py nano OUT.onnx

Height and width of the picture and the number of people are free. With --check the
graph is run by ONNX Runtime on the pictures of a folder and compared with PyTorch.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.apis import list_models
from onestage_pose.cli.common import (
    OptionAction,
    check_writable,
    find_model,
    find_pictures,
    positive,
    read_model,
    run_tool,
)
from onestage_pose.deployment import Agreement, compare_with_onnx, export_onnx
from onestage_pose.utils.errors import UsageError

from mmpose.apis import init_model

TOLERANCE = 0.1  # pixels


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage='%(prog)s (CONFIG CHECKPOINT | NAME) OUT.onnx [options]',
    )
    parser.add_argument(
        'words',
        nargs='+',
        metavar='WORD',
        help='config and checkpoint, or the name of a model that comes with '
        f'onestage_pose ({", ".join(list_models())}); then the file to write',
    )
    parser.add_argument(
        '--check', type=Path, metavar='PICTURES', help='folder to compare on'
    )
    parser.add_argument(
        '--num-pictures',
        type=positive,
        default=20,
        help='how many of them (default: 20)',
    )
    parser.add_argument(
        '--force', action='store_true', help='write over the file if it exists'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change the config: model.test_cfg.rcnn.score_thr=0.3',
    )
    args = parser.parse_args(argv)
    if len(args.words) == 3:
        args.config, args.checkpoint, target = args.words
    elif len(args.words) == 2 and args.words[0].lower() in list_models():
        args.config, args.checkpoint = find_model(args.words[0], None)
        target = args.words[1]
    else:
        parser.error(
            f'give config, checkpoint and the file to write, or one of '
            f'{", ".join(list_models())} and the file to write'
        )
    args.target = Path(target)
    return args


def check_files(args: argparse.Namespace) -> None:
    """Raises ``UsageError`` before anything is built."""
    if args.target.suffix != '.onnx':
        raise UsageError(f'{args.target}: give the file to write the suffix .onnx.')
    if args.target.exists() and not args.force:
        raise UsageError(
            f'{args.target} exists: give another name, or --force to write over it.'
        )
    check_writable(str(args.target.absolute().parent), 'another file to write')
    try:
        import onnx  # noqa: F401

        if args.check is not None:
            import onnxruntime  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f'the package {error.name} is not installed: pip install onnx onnxruntime'
        ) from error


def main(argv: list[str] | None = None) -> None:
    """Exports.

    Raises:
        UsageError: Something that was typed cannot be used, or the graph's results
            are not PyTorch's.
    """
    args = parse_args(argv)
    check_files(args)
    pictures = []
    if args.check:
        pictures = find_pictures(args.check, args.num_pictures, '--check')
    cfg = read_model(args.config, args.checkpoint, args.cfg_options)
    model = init_model(cfg, args.checkpoint, device='cpu')
    try:
        export_onnx(model, args.target)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(f'{args.target}: {args.target.stat().st_size / 1e6:.1f} MB')
    if pictures:
        check(model, args.target, pictures)


def compare(model, target: Path, pictures: list[Path]) -> Iterator[Agreement]:
    """:func:`compare_with_onnx`, to whose user a broken picture is named."""
    try:
        yield from compare_with_onnx(model, target, pictures)
    except (OSError, ValueError) as error:
        raise UsageError(f'--check: {error}') from error


def check(model, target: Path, pictures: list[Path]) -> None:
    """Compares picture by picture, tells, and raises where they disagree."""
    print('height width people   boxes px  keypoints px    scores')
    wrong, seconds = [], []
    for each in compare(model, target, pictures):
        height, width = each.size
        print(
            f'{height:6d} {width:5d} {each.people[0]:6d} {each.bboxes:10.1e} '
            f'{each.keypoints:13.1e} {each.scores:9.1e}  {Path(each.picture).name}'
        )
        seconds.append(each.seconds)
        if not max(each.bboxes, each.keypoints) <= TOLERANCE:
            wrong.append(each)
    if wrong:
        raise UsageError(
            f'on {len(wrong)} of {len(pictures)} pictures the graph differs by more '
            f'than {TOLERANCE} px, first on {wrong[0].picture}: {wrong[0].people} '
            'people in PyTorch and in the graph.'
        )
    print(f'{len(pictures)} pictures agree within {TOLERANCE} px.')
    ours, graph = (1000 * statistics.median(times) for times in zip(*seconds))
    print(f'A picture takes PyTorch {ours:.0f} ms and the graph {graph:.0f} (medians).')


if __name__ == '__main__':
    run_tool(main)
