# Copyright (c) onestage_pose contributors.
"""Write a whole model, from image to people, as one ONNX graph.

    python tools/deployment/export_onnx.py CONFIG CHECKPOINT OUT.onnx
    python tools/deployment/export_onnx.py nano OUT.onnx

Height and width of the image and the number of people are free. With --check the
graph is run by ONNX Runtime on the images of a folder and compared with PyTorch.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

import onestage_pose  # noqa: F401  (before mmdet, which needs its operators)
from onestage_pose.apis import list_models
from onestage_pose.cli.args import add_config_options, positive
from onestage_pose.cli.files import check_writable, find_images
from onestage_pose.cli.model import build_model, find_model
from onestage_pose.cli.run import run_tool
from onestage_pose.deployment import Agreement, compare_with_onnx, export_onnx
from onestage_pose.utils.errors import UsageError

from torch import nn

TOLERANCE = 0.1  # pixels


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
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
        '--check', type=Path, metavar='IMAGES', help='folder to compare on'
    )
    parser.add_argument(
        '--num-images',
        '--num-pictures',  # its former name
        type=positive,
        default=20,
        help='how many of them (default: 20)',
    )
    parser.add_argument(
        '--force', action='store_true', help='write over the file if it exists'
    )
    add_config_options(parser, 'model.test_cfg.rcnn.score_thr=0.3')
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
    """Raise ``UsageError`` for a target or a package before anything is built."""
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
    """Export, and compare where that is asked for.

    Raises:
        UsageError: Something that was typed cannot be used, or the graph's results
            are not PyTorch's.
    """
    args = parse_args(argv)
    check_files(args)
    images = []
    if args.check:
        images = find_images(args.check, args.num_images, '--check')
    model = build_model(args.config, args.checkpoint, args.cfg_options)
    try:
        export_onnx(model, args.target)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(f'{args.target}: {args.target.stat().st_size / 1e6:.1f} MB')
    if images:
        check(model, args.target, images)


def compare(model: nn.Module, target: Path, images: list[Path]) -> Iterator[Agreement]:
    """Yield what :func:`compare_with_onnx` does, and name an image it cannot read."""
    try:
        yield from compare_with_onnx(model, target, images)
    except (OSError, ValueError) as error:
        raise UsageError(f'--check: {error}') from error


def check(model: nn.Module, target: Path, images: list[Path]) -> None:
    """Compare image by image, print each, and raise where they disagree."""
    print('height width people   boxes px  keypoints px    scores')
    wrong, seconds = [], []
    for each in compare(model, target, images):
        height, width = each.size
        print(
            f'{height:6d} {width:5d} {each.people[0]:6d} {each.bboxes:10.1e} '
            f'{each.keypoints:13.1e} {each.scores:9.1e}  {Path(each.image).name}'
        )
        seconds.append(each.seconds)
        if not max(each.bboxes, each.keypoints) <= TOLERANCE:
            wrong.append(each)
    if wrong:
        raise UsageError(
            f'on {len(wrong)} of {len(images)} images the graph differs by more '
            f'than {TOLERANCE} px, first on {wrong[0].image}: {wrong[0].people} '
            'people in PyTorch and in the graph.'
        )
    print(f'{len(images)} images agree within {TOLERANCE} px.')
    ours, graph = (1000 * statistics.median(times) for times in zip(*seconds))
    print(f'An image takes PyTorch {ours:.0f} ms and the graph {graph:.0f} (medians).')


if __name__ == '__main__':
    run_tool(main)
