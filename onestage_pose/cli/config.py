# Copyright (c) onestage_pose contributors.
"""Make the config of a run out of its file and the command line, and check it."""

import argparse
import os
import os.path as osp
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.device import get_device

from ..utils.config_check import (
    check_options,
    check_parts,
    check_top_level_names,
    check_values,
)
from ..utils.config_files import read_config
from ..utils.errors import UsageError
from .files import check_writable


def load_config(args: argparse.Namespace, needed: Sequence[str] = ()) -> Config:
    """Read the config and merge what both tools take from the command line.

    ``work_dir`` is taken from the command line, else from the config, else
    ``./work_dirs/CONFIGNAME``. ``--cfg-options`` win over everything, and are merged
    by :func:`finish_config`.

    Args:
        args (argparse.Namespace): With the options of
            :func:`onestage_pose.cli.args.add_common_arguments`.
        needed (Sequence[str]): The parts that the config must have, such as
            ``'train_dataloader'``.

    Returns:
        Config: Not finished yet.

    Raises:
        UsageError: A file, folder or hook that is asked for does not exist.
        ConfigNameError: A name is misspelt in the config or in an option.
        ConfigValueError: A part is missing, or is of another kind.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = read_config(args.config)
    names = cfg.to_dict()
    check_top_level_names(names, args.config)
    check_options(names, args.cfg_options)
    check_parts(names, args.config, needed)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        # Of the name that was typed: under a config's old name its runs are found.
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('./work_dirs', name)
    _merge_visualization(cfg, args)
    return cfg


def finish_config(cfg: Config, args: argparse.Namespace) -> None:
    """Merge ``--cfg-options``, check values, and create the work dir.

    Args:
        cfg (Config): Changed in place.
        args (argparse.Namespace): With ``cfg_options``.

    Raises:
        ConfigValueError: A number is none, or too small.
        UsageError: The work dir cannot be written to.
    """
    cfg.merge_from_dict(args.cfg_options)
    check_parts(cfg.to_dict(), '--cfg-options', ())
    check_values(cfg.to_dict())
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if loader is not None and loader.get('num_workers') == 0:
            # torch refuses to keep workers where there are none.
            loader.persistent_workers = False
    check_writable(cfg.work_dir)
    if cfg.get('preprocess_cfg') is not None:
        cfg.model.setdefault('data_preprocessor', cfg.preprocess_cfg)


def use_amp(cfg: Config) -> None:
    """Make a training config train in mixed precision.

    On a GPU in float16 with dynamic loss scaling, as MMPose does; elsewhere in
    bfloat16, which needs no scaling.

    Args:
        cfg (Config): Its ``optim_wrapper`` is changed in place.

    Raises:
        UsageError: The config has an optimizer wrapper of another kind.
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
