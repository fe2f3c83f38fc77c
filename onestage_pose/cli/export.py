# Copyright (c) onestage_pose contributors.
"""Write a whole model, from image to people, as one ONNX graph."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

from torch import nn

from ..apis.building import build_model, find_model
from ..deployment import TOLERANCE, Agreement, compare_with_onnx, export_onnx
from ..utils.errors import UsageError
from .files import check_writable, find_images
from .named_files import read_words

# Share of keypoints that weights in float16 may move by more than TOLERANCE: where two
# maxima of a heatmap are almost equal, rounding decides.
MAX_MOVED = 0.02


def check_files(args: argparse.Namespace) -> None:
    """Raise ``UsageError`` for a target or a package before anything is built."""
    if args.target.suffix != '.onnx':
        raise UsageError(f'{args.target}: give the file to write the suffix .onnx.')
    if args.target.exists() and not args.force:
        raise UsageError(
            f'{args.target} exists: give another name, or --force to overwrite it.'
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


def run(args: argparse.Namespace) -> None:
    """Export, and compare where that is asked for.

    Raises:
        UsageError: Something that was typed cannot be used, or the graph's results
            are not PyTorch's.
    """
    read_words(args)
    check_files(args)
    images = []
    if args.check:
        images = find_images(args.check, args.num_images, '--check')
    # Downloads where that is needed, which is the first that takes long.
    config, checkpoint = find_model(args.config, args.checkpoint)
    model = build_model(config, checkpoint, args.cfg_options)
    try:
        export_onnx(model, args.target, args.weights)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(f'{args.target}: {args.target.stat().st_size / 1e6:.1f} MB')
    if images:
        check(model, args.target, images, args.weights)


def compare(model: nn.Module, target: Path, images: list[Path]) -> Iterator[Agreement]:
    """Yield what :func:`compare_with_onnx` does, and name an image it cannot read."""
    try:
        yield from compare_with_onnx(model, target, images)
    except (OSError, ValueError) as error:
        raise UsageError(f'--check: {error}') from error


def check(
    model: nn.Module, target: Path, images: list[Path], weights: str = 'float32'
) -> None:
    """Compare image by image, print each, and raise where they disagree."""
    print('height width people   boxes px  keypoints px    scores')
    wrong, seconds, close = [], [], []
    for each in compare(model, target, images):
        height, width = each.size
        print(
            f'{height:6d} {width:5d} {each.people[0]:6d} {each.bboxes:10.1e} '
            f'{each.keypoints:13.1e} {each.scores:9.1e}  {Path(each.image).name}'
        )
        seconds.append(each.seconds)
        close.append(each.close)
        most = each.bboxes if weights == 'float16' else max(each.bboxes, each.keypoints)
        if not most <= TOLERANCE:
            wrong.append(each)
    if wrong:
        raise UsageError(
            f'on {len(wrong)} of {len(images)} images the graph differs by more '
            f'than {TOLERANCE} px, first on {wrong[0].image}: {wrong[0].people} '
            'people in PyTorch and in the graph.'
        )
    if weights == 'float16':
        share = statistics.mean(close)
        told = f'{share:.1%} of the keypoints are within {TOLERANCE} px of float32'
        if share < 1 - MAX_MOVED:
            raise UsageError(f'{told}, expected {1 - MAX_MOVED:.0%}: use float32.')
        print(f'The boxes of {len(images)} images agree within {TOLERANCE} px; {told}.')
    else:
        print(f'{len(images)} images agree within {TOLERANCE} px.')
    ours, graph = (1000 * statistics.median(times) for times in zip(*seconds))
    print(f'An image takes PyTorch {ours:.0f} ms and the graph {graph:.0f} (medians).')
