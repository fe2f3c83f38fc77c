# Copyright (c) onestage_pose contributors.
"""What ``onestage-pose evaluate`` writes, checked before PyTorch is imported."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..utils.errors import UsageError
from ..utils.paths import is_same_file
from .files import check_writable

# the extensions of each; the results and the summary are JSON
_EXTENSIONS = {
    '--html': ('.html', '.htm'),
    '--json': ('.json',),
    '--markdown': ('.md', '.markdown', '.txt'),
    '--save-results': ('.json',),
}


def get_evaluate_outputs(args: argparse.Namespace) -> dict[str, Path]:
    """Return what ``evaluate`` is asked to write, by option."""
    paths = {
        option: getattr(args, option[2:].replace('-', '_')) for option in _EXTENSIONS
    }
    return {option: path for option, path in paths.items() if path is not None}


def check_evaluate_outputs(args: argparse.Namespace) -> None:
    """Raise for outputs that cannot be written, or that would replace an input.

    Args:
        args (argparse.Namespace): Of the command ``evaluate``.

    Raises:
        UsageError: Naming the option and the remedy.
    """
    inputs = dict(
        ANN_FILE=args.ann_file,
        config=args.config,
        checkpoint=args.checkpoint,
        **{'--results': args.results, '--metainfo': args.metainfo},
    )
    outputs = get_evaluate_outputs(args)
    taken: dict[Path, str] = {}
    for option, path in outputs.items():
        if path.is_dir():
            raise UsageError(f'{option} {path} is a folder; give a file.')
        known = _EXTENSIONS[option]
        if path.suffix.lower() not in known:
            raise UsageError(
                f'{option} {path}: give a name that ends in {" or ".join(known)}.'
            )
        for name, source in inputs.items():
            if source and is_same_file(path, source):
                raise UsageError(f'{option} {path} is {name}: give another file.')
        other = taken.setdefault(path.absolute(), option)
        if other != option:
            raise UsageError(f'{other} and {option} are both {path}: give two files.')
    for option, path in outputs.items():
        check_writable(path.absolute().parent, option)
