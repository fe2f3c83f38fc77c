# Copyright (c) onestage_pose contributors.
"""What the tools have in common."""

import argparse
import difflib
import os
import os.path as osp
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from ..checkpoints.check import check_checkpoint
from ..utils.errors import (
    CheckpointError,
    ConfigNameError,
    ConfigValueError,
    NonFiniteError,
    PreemptedError,
    UsageError,
)
from ..zoo import get_model_files, list_models
from .config_check import (
    check_options,
    check_top_level_names,
    check_values,
    explain_unknown_option,
)
from .distributed import leave_dist

_PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
_UNKNOWN_CLASS = re.compile(r'(\w+) is not in the (\S+) registry')


class OptionAction(DictAction):
    """mmengine's, which says what is wrong with an option without a value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Takes the options; see ``argparse.Action``."""
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string} {value}: give KEY=VALUE.')
        super().__call__(parser, namespace, values, option_string)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that MMPose's train.py and test.py share."""
    parser.add_argument('--work-dir', help='where logs and results go')
    parser.add_argument(
        '--show-dir', help='draw the predictions of evaluated pictures into this folder'
    )
    parser.add_argument(
        '--show', action='store_true', help='show them in a window as well'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='draw every so many pictures'
    )
    parser.add_argument(
        '--wait-time', type=float, default=1, help='seconds to show each window'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change the config: train_dataloader.batch_size=4, or a list as '
        'key="[a,b]" or key=a,b and nested ones as key="[(a,b),(c,d)]", with the '
        'quotation marks and without white space',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes of a distributed run',
    )
    # torch.distributed.launch gives it; torchrun sets the variable by itself.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: argparse.Namespace) -> Config:
    """Reads the config and merges what both tools take from the command line.

    ``work_dir`` is taken from the command line, else from the config, else
    ``./work_dirs/CONFIGNAME``. ``--cfg-options`` win over everything.

    Raises:
        UsageError: If a file, folder or hook that is asked for is not there.
        ConfigNameError: If a name is misspelt in the config or in an option.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not osp.isfile(args.config):
        raise UsageError(f'config {args.config} does not exist.{_similar(args.config)}')
    cfg = read_config(args.config)
    names = cfg.to_dict()
    check_top_level_names(names, args.config)
    check_options(names, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('./work_dirs', name)
    _merge_visualization(cfg, args)
    return cfg


def read_config(filename: str) -> Config:
    """Reads a config, which is a program: only use those of people you trust.

    Raises:
        UsageError: If it is no Python, or a base of it is not there.
    """
    try:
        return Config.fromfile(filename)
    except SyntaxError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UsageError(f'config {filename} is no valid Python: {reason}') from error
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            raise UsageError(f'config {filename} cannot be read: {error}') from error
        raise UsageError(
            f'config {filename} inherits {error.filename or error}, which does not '
            'exist: correct _base_ in it.'
        ) from error


def find_model(config: str, checkpoint: str | None) -> tuple[str, str]:
    """Gives config and checkpoint, which a model's name stands for.

    Raises:
        UsageError: A config came without checkpoint, or a name is unknown.
    """
    if checkpoint is not None:
        return config, checkpoint
    if config.lower() not in list_models():
        raise UsageError(
            f'{config}: give a checkpoint beside a config, or one of the models that '
            f'come with onestage_pose: {", ".join(list_models())}.'
        )
    files = get_model_files(config)
    return str(files.config), str(files.weights)


def read_model(config: str, checkpoint: str, options: dict[str, Any]) -> Config:
    """Reads the config of a one-stage model that is to predict, everything checked.

    Args:
        config: Its file.
        checkpoint: A file or an address.
        options: ``--cfg-options``, merged into the config.

    Raises:
        UsageError: The config or the checkpoint is not there, or the model is not
            one that finds people by itself.
        ConfigNameError: A name in the config or in an option is misspelt.
        CheckpointError: The checkpoint is broken, or of another model.
    """
    check_checkpoint_path(checkpoint, 'checkpoint')
    if not osp.isfile(config):
        raise UsageError(f'config {config} does not exist.{_similar(config)}')
    cfg = read_config(config)
    check_top_level_names(cfg.to_dict(), config)
    check_options(cfg.to_dict(), options)
    cfg.merge_from_dict(options)
    if cfg.get('data_mode') != 'bottomup':
        raise UsageError(
            f'{config} is not the config of a one-stage model (data_mode is '
            f'{cfg.get("data_mode")!r}, not bottomup); for top-down models use '
            'mmpose.apis.MMPoseInferencer, which takes a person detector.'
        )
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    check_checkpoint(checkpoint, MODELS.build(cfg.model))
    return cfg


def find_pictures(folder: Path, number: int, option: str) -> list[Path]:
    """Gives the first pictures of a folder by name.

    Args:
        folder: Where they are.
        number: How many at most.
        option: Where the folder was given, for the message.

    Raises:
        UsageError: There is none.
    """
    if not folder.is_dir():
        raise UsageError(f'{option}: there is no folder {folder}.')
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES)
    if not found:
        raise UsageError(f'{option}: the folder {folder} holds no picture.')
    return found[:number]


def positive(word: str) -> int:
    """Reads a number of 1 or more, as argparse's ``type``."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f'{word} is given, 1 or more is needed')
    return int(word)


def finish_config(cfg: Config, args: argparse.Namespace) -> None:
    """Merges ``--cfg-options`` and makes sure that the work dir can be written."""
    cfg.merge_from_dict(args.cfg_options)
    check_values(cfg.to_dict())
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if loader is not None and loader.get('num_workers') == 0:
            # torch refuses to keep workers where there are none.
            loader.persistent_workers = False
    check_writable(cfg.work_dir)
    if cfg.get('preprocess_cfg') is not None:
        cfg.model.setdefault('data_preprocessor', cfg.preprocess_cfg)


def check_checkpoint_path(path: str, option: str) -> None:
    """Raises ``UsageError`` where a local checkpoint is not there.

    Args:
        path: A path, or an address such as ``https://`` or ``open-mmlab://``.
        option: Where it was given, for the message.
    """
    if '://' not in path and not osp.isfile(osp.expanduser(path)):
        raise UsageError(f'{option}: {path} does not exist.{_similar(path)}')


def check_writable(folder: str, option: str = '--work-dir') -> None:
    """Makes a folder, and raises ``UsageError`` where it cannot be written to.

    Args:
        folder: Its path.
        option: Where it was given, for the message.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
        reason = 'no permission'
    except OSError as error:
        writable, reason = False, error.strerror
    if not writable:
        raise UsageError(
            f'cannot write to {folder} ({reason}); give another with {option}.'
        )


def use_amp(cfg: Config) -> None:
    """Makes a training config train in mixed precision.

    On a GPU in float16 with dynamic loss scaling, as MMPose does; elsewhere in
    bfloat16, which needs no scaling.

    Raises:
        UsageError: If the config has an optimizer wrapper of another kind.
    """
    kinds = ('OptimWrapper', 'AmpOptimWrapper', 'Bfloat16OptimWrapper')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if getattr(kind, '__name__', kind) not in kinds:
        raise UsageError(
            f'--amp: optim_wrapper.type is {kind}; only {", ".join(kinds)} can be '
            'switched to mixed precision.'
        )
    if get_device() != 'cuda':
        for option in ('loss_scale', 'dtype', 'use_fsdp'):
            cfg.optim_wrapper.pop(option, None)
        cfg.optim_wrapper.type = 'Bfloat16OptimWrapper'
    elif getattr(kind, '__name__', kind) != 'Bfloat16OptimWrapper':
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def run_tool(main: Callable[[list[str] | None], None]) -> None:
    """Runs a tool; what its user can mend is said in one line, without a traceback.

    Exits with status 1 on such an error, with 143 where SIGTERM has ended a
    training that is saved, and raises all others.
    """
    try:
        main(None)
        leave_dist()
    except PreemptedError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)
    except (
        UsageError,
        ConfigNameError,
        ConfigValueError,
        CheckpointError,
        NonFiniteError,
        FileNotFoundError,
    ) as error:
        _exit(error)
    except KeyError as error:
        unknown = _UNKNOWN_CLASS.search(str(error))
        if unknown is None:
            raise
        _exit(
            f'the config has type={unknown.group(1)!r}, which is not in the registry '
            f'{unknown.group(2)}: correct the name, or import the module that '
            'registers it by custom_imports.'
        )
    except TypeError as error:
        explanation = explain_unknown_option(error)
        if explanation is None:
            raise
        _exit(f'the config gives an option that is not there: {explanation}')


def _merge_visualization(cfg: Config, args: argparse.Namespace) -> None:
    if not args.show and args.show_dir is None:
        return
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise UsageError(
            f'--show and --show-dir need a hook that draws: put visualization='
            f"dict(type='InputVisualizationHook') into the default_hooks of "
            f'{args.config}.'
        )
    hook.update(
        enable=True, show=args.show, out_dir=args.show_dir, interval=args.interval
    )
    if args.show:
        hook.wait_time = args.wait_time


def _similar(path: str) -> str:
    folder, name = osp.split(osp.abspath(osp.expanduser(path)))
    if not osp.isdir(folder):
        return f' Its folder {folder} does not exist either.'
    close = difflib.get_close_matches(name, os.listdir(folder))
    return f' Did you mean {" or ".join(close)}?' if close else ''


def _exit(message: Any) -> None:
    sys.exit(f'Error: {message}')
