# Copyright (c) onestage_pose contributors.
"""The files that ``onestage-pose track`` writes, checked before PyTorch is imported."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..tracking.interrupted import check_interrupted
from ..utils.errors import UsageError
from ..utils.paths import is_same_file
from .files import check_writable


def check_track_outputs(args: argparse.Namespace) -> None:
    """Raise for outputs that cannot be written.

    Args:
        args (argparse.Namespace): Of the command ``track``.

    Raises:
        UsageError: Naming the option and the remedy.
    """
    if args.out is None and args.json is None and not args.show:
        raise UsageError('nothing to do: give --out, --json or --show.')
    if args.resume and args.json is None:
        raise UsageError('--resume continues the --json file: give --json too.')
    if args.resume and args.force:
        raise UsageError('--resume continues, --force starts over: give one of them.')
    for option in ('out', 'json'):
        path: Path | None = getattr(args, option)
        if path is None:
            continue
        if path.is_dir():
            raise UsageError(f'--{option} {path} is a folder; give the name of a file.')
        if is_same_file(path, args.input):
            raise UsageError(f'--{option} {path} is the input: give another file.')
        check_writable(path.absolute().parent, f'--{option}')
    if args.out is not None and args.out.suffix.lower() != '.mp4':
        raise UsageError(f'--out {args.out}: give a name that ends in .mp4.')
    if args.out is not None and args.out == args.json:
        raise UsageError(f'--out and --json are both {args.out}: give two files.')
    if args.resume or args.force:
        return
    if args.json is not None:
        # before --out, whose --force would start the interrupted run again
        check_interrupted(args.json)
    for option in ('out', 'json'):
        path = getattr(args, option)
        if path is not None and path.exists():
            raise UsageError(f'--{option} {path} exists: --force overwrites it.')
