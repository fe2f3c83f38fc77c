# Copyright (c) onestage_pose contributors.
"""Build a trained model from what a command line names."""

from typing import Any

from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmpose.apis import Pose2DInferencer
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS
from torch import nn

from ..checkpoints.check import load_checkpoint
from ..utils.errors import UsageError
from ..utils.suggestions import did_you_mean
from ..zoo import get_model_files, list_models
from .config import read_config
from .config_check import check_options, check_top_level_names
from .files import check_checkpoint_path

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
        UsageError: A config came without checkpoint, or a name is unknown.
    """
    if checkpoint is not None:
        return config, checkpoint
    if config.lower() not in list_models():
        raise UsageError(
            f'{config}: give a checkpoint beside a config, or the name of a published '
            f'model: {", ".join(list_models())}.{did_you_mean(config, list_models())}'
        )
    files = get_model_files(config)
    return str(files.config), str(files.weights)


def build_model(
    config: str, checkpoint: str, options: dict[str, Any], device: str = 'cpu'
) -> nn.Module:
    """Build a trained one-stage model; its checkpoint is read once and checked.

    Args:
        config (str): Path of its config.
        checkpoint (str): Path or address of its checkpoint.
        options (dict[str, Any]): ``--cfg-options``, merged into the config.
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
    meta = load_checkpoint(checkpoint, model).get('meta', {})
    model.dataset_meta = (
        meta.get('dataset_meta')
        or dataset_meta_from_config(cfg)
        or parse_pose_metainfo(dict(from_file=_COCO))
    )
    model.cfg = cfg
    return model.to(device).eval()


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


class BuiltModelInferencer(Pose2DInferencer):
    """mmpose's inferencer around a model that exists already.

    Args:
        model (nn.Module): As :func:`build_model` returns it, with its config as
            ``cfg`` and the skeleton as ``dataset_meta``.
    """

    # mmengine refuses a class with an option of two stages; compat gives `bbox_thr` to
    # a second one after Pose2DInferencer is defined.
    forward_kwargs = (
        Pose2DInferencer.forward_kwargs - Pose2DInferencer.preprocess_kwargs
    )

    def __init__(self, model: nn.Module) -> None:
        self._built = model
        self.forward_kwargs = Pose2DInferencer.forward_kwargs
        super().__init__(model.cfg, device=str(next(model.parameters()).device))

    def _init_model(
        self, cfg: Config, weights: str | None, device: str = 'cpu'
    ) -> nn.Module:
        return self._built
