# Copyright (c) onestage_pose contributors.
"""Files and models that a command line names, checked before PyTorch is imported.

The import takes seconds, which a misspelt path need not wait for. Only what costs a
look at the disk is checked here; each command checks the rest.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from ..apis.checkpoint_paths import check_checkpoint_path, check_model_name
from ..utils.errors import UsageError
from ..utils.file_kinds import get_file_kind
from ..utils.paths import (
    check_config_exists,
    check_exists,
    check_folder,
    check_input_exists,
)
from ..utils.suggestions import did_you_mean
from ..zoo import list_models
from .evaluate_outputs import check_evaluate_outputs
from .track_outputs import check_track_outputs

#: What to do if the shell has made several inputs of a pattern.
ONE_INPUT = 'Give one input: a folder, or a pattern in quotes, such as "images/*.jpg".'

# numbers of cameras, addresses, and patterns of names
_NO_PATH = re.compile(r'\d+|webcam(:\d+)?|.*(://|[*?\[]).*', re.IGNORECASE)


def check_named_files(args: argparse.Namespace) -> None:
    """Raise where a file, a folder or a model that was typed does not exist.

    Args:
        args (argparse.Namespace): As the parser of ``args.command`` reads it.

    Raises:
        UsageError: Naming what does not exist, with what is spelt alike.
    """
    for check in _CHECKS.get(args.command, ()):
        check(args)


def read_words(args: argparse.Namespace) -> None:
    """Set ``config``, ``checkpoint`` and ``target`` of an export by what was typed.

    Raises:
        UsageError: The words are not a config, a checkpoint and a file to write, nor a
            name and a file to write.
    """
    if len(args.words) == 3:
        args.config, args.checkpoint, target = args.words
    elif len(args.words) == 2 and args.words[0].lower() in list_models():
        (args.config, target), args.checkpoint = args.words, None
    else:
        raise UsageError(
            f'give config, checkpoint and the file to write, or one of '
            f'{", ".join(list_models())} and the file to write.'
            f'{did_you_mean(args.words[0], list_models())}'
        )
    args.target = Path(target)


def _check_model(args: argparse.Namespace) -> None:
    if get_file_kind(args.config) in ('image', 'video'):
        raise UsageError(f'{args.config} is no config. {ONE_INPUT}')
    check_model_name(args.config, args.checkpoint)
    if args.checkpoint is not None:
        check_config_exists(args.config)
        check_checkpoint_path(args.checkpoint, 'checkpoint')


def _check_export(args: argparse.Namespace) -> None:
    read_words(args)
    _check_model(args)
    _check_exists(args.check, '--check')


def _check_convert(args: argparse.Namespace) -> None:
    check_checkpoint_path(str(args.source), 'SRC')
    _check_file(args.config, '--config')


def _check_train(args: argparse.Namespace) -> None:
    check_config_exists(args.config)
    if args.resume not in (None, 'auto'):
        check_checkpoint_path(args.resume, '--resume')


def _check_evaluate(args: argparse.Namespace) -> None:
    _check_file(args.ann_file, 'ANN_FILE')
    _check_file(args.results, '--results')
    check_folder(args.images, '--images')
    if args.results is None and args.config is not None:
        _check_model(args)
    check_evaluate_outputs(args)


def _check_finetune(args: argparse.Namespace) -> None:
    _check_exists(args.data, 'DATA')
    _check_exists(args.val, '--val')
    check_folder(args.images, '--images')
    check_folder(args.val_images, '--val-images')


def _check_convert_data(args: argparse.Namespace) -> None:
    _check_exists(args.source, 'SRC')
    check_folder(args.images, '--images')


def _check_check_data(args: argparse.Namespace) -> None:
    _check_exists(args.data, 'DATA')
    _check_exists(args.other, 'OTHER')
    check_folder(args.images, '--images')
    check_folder(args.other_images, '--other-images')


def _check_input(args: argparse.Namespace) -> None:
    _check_source(args.input)


def _check_bulk(args: argparse.Namespace) -> None:
    _check_source(args.source)
    _check_model(args)


def _check_source(text: str) -> None:
    if not _NO_PATH.fullmatch(text):
        check_input_exists(text)


def _check_exists(path: Path | None, option: str) -> None:
    if path is not None:
        check_exists(path, option)


def _check_file(path: Path | None, option: str) -> None:
    _check_exists(path, option)
    if path is not None and path.is_dir():
        raise UsageError(f'{option}: {path} is a folder; give the file in it.')


_CHECKS: dict[str, tuple[Callable[[argparse.Namespace], None], ...]] = {
    'predict': (_check_input, _check_model),
    'track': (_check_input, _check_model, check_track_outputs),
    'bulk': (_check_bulk,),
    'serve': (_check_model,),
    'web': (_check_model,),
    'convert': (_check_convert,),
    'export': (_check_export,),
    'train': (_check_train,),
    'test': (_check_model,),
    'evaluate': (_check_evaluate,),
    'finetune': (_check_finetune,),
    'convert-data': (_check_convert_data,),
    'check-data': (_check_check_data,),
}
