# Copyright (c) onestage_pose contributors.
"""Build a trained model from a name, or from a config and a checkpoint."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS
from torch import nn

from ..checkpoints.check import check_dataset_meta, load_checkpoint
from ..structures.categories import get_categories
from ..utils.config_check import check_options, check_top_level_names
from ..utils.config_files import read_config
from ..utils.errors import CheckpointMismatchError, UsageError
from ..zoo import get_model_files
from .checkpoint_paths import check_checkpoint_path, check_model_name

# mmpose's skeleton where neither checkpoint nor config has one.
_COCO = 'configs/_base_/datasets/coco.py'


def find_model(config: str, checkpoint: str | None) -> tuple[str, str]:
    """Find the config and checkpoint that a model's name stands for.

    Args:
        config (str): A config's path, or a model's name.
        checkpoint (str | None): The checkpoint beside a config, None for a name.

    Returns:
        tuple[str, str]: The paths of config and checkpoint.

    Raises:
        UsageError: A config came without checkpoint, a name with one, or a name is
            unknown.
    """
    check_model_name(config, checkpoint)
    if checkpoint is not None:
        return config, checkpoint
    files = get_model_files(config)
    return str(files.config), str(files.weights)


def build_model(
    config: str, checkpoint: str, options: dict[str, Any], device: str = 'cpu'
) -> nn.Module:
    """Build a trained one-stage model; its checkpoint is read once and checked.

    Args:
        config (str): Path of its config.
        checkpoint (str): Path or address of its checkpoint.
        options (dict[str, Any]): Merged into the config: ``a.b.c`` to value.
        device (str): Where it goes, such as ``'cuda:0'``.

    Returns:
        nn.Module: As mmpose's ``init_model`` returns it: in evaluation mode, with its
        config as ``cfg``, and the skeleton of the checkpoint (else the config's, else
        COCO's) as ``dataset_meta``.

    Raises:
        UsageError: The config or the checkpoint does not exist, or the model is not
            one that finds people by itself.
        ConfigNameError: A name in the config or in an option is misspelt.
        CheckpointError: The checkpoint is broken, or of another model.
    """
    check_checkpoint_path(checkpoint, 'checkpoint')
    cfg = _read_model_config(config, options)
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    meta = check_dataset_meta(load_checkpoint(checkpoint, model), checkpoint)
    model.dataset_meta = (
        (meta if 'keypoint_id2name' in meta else None)
        or dataset_meta_from_config(cfg)
        or parse_pose_metainfo(dict(from_file=_COCO))
    )
    _check_number_of_keypoints(model, checkpoint)
    model.cfg = cfg
    return model.to(device).eval()


def _check_number_of_keypoints(model: nn.Module, checkpoint: str) -> None:
    named = len(model.dataset_meta.get('keypoint_id2name') or ())
    found = model.roi_head.num_keypoints
    if named != found:
        raise CheckpointMismatchError(
            f'checkpoint {checkpoint}: the model predicts {found} keypoints, but the '
            f'dataset_meta of the checkpoint, or of the config, names {named}. Correct '
            'metainfo in the config, and meta.dataset_meta in the checkpoint.'
        )
    categories = get_categories(model.dataset_meta)
    if categories and len(categories) != model.roi_head.num_classes:
        names = ', '.join(category.name for category in categories)
        raise CheckpointMismatchError(
            f'checkpoint {checkpoint}: the model tells {model.roi_head.num_classes} '
            'categories apart, and the dataset_meta of the checkpoint, or of the '
            f'config, has {len(categories)}: {names}. Correct one of them.'
        )


def _read_model_config(config: str, options: dict[str, Any]) -> Config:
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
    return cfg


def choose_device(device: str | torch.device | None, option: str = 'device') -> str:
    """Return the name of a device that can be used.

    Args:
        device (str | torch.device | None): What was asked for; None for a GPU if there
            is one.
        option (str): Where it was given, for the message.

    Returns:
        str: Such as ``'cuda:0'``.

    Raises:
        UsageError: It cannot be used, with the reason.
    """
    if device is None:
        return get_device()
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f'{option} {device} cannot be used ({reason}); leave it out, or give cpu.'
        ) from error
    return str(device)
