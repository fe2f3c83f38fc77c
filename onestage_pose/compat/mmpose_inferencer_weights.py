# Copyright (c) onestage_pose contributors.
"""What a checkpoint decides in the inferencers and in ``init_model``: its weights.

Upstream: mmengine 0.10.7, ``mmengine/infer/infer.py``. An inferencer that is given
weights alone runs the config's text in the checkpoint, and one that is given weights
of another model predicts with random ones, as mmpose's and mmdet's ``init_model`` and
``init_detector`` do. Can go once mmengine builds from no text of a checkpoint and
raises on weights that are missing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .hooks import when_imported

#: Takes a checkpoint's path and whether its own config is trusted; returns a config.
FindConfig = Callable[[str, bool], Any]
#: Takes what a checkpoint holds, its path and the model; raises if they do not fit.
CheckWeights = Callable[[Any, str, Any], None]

# Have functions that load a model's weights by mmengine's `load_checkpoint`.
_APIS = ('mmpose.apis.inference', 'mmdet.apis.inference')
_INFERENCERS = {
    'mmpose.apis.inferencers.base_mmpose_inferencer': 'BaseMMPoseInferencer',
    'mmdet.apis.det_inferencer': 'DetInferencer',
}


def install(find_config: FindConfig, check_weights: CheckWeights) -> None:
    """Find configs and check weights by these functions, once the APIs are imported.

    ``Pose2DInferencer`` takes ``trust_checkpoint_config=True`` as a keyword.
    """
    when_imported(
        'mmengine.infer.infer',
        functools.partial(find_configs, find_config=find_config),
    )
    when_imported('mmpose.apis.inferencers.pose2d_inferencer', add_argument)
    for module, name in _INFERENCERS.items():
        when_imported(
            module,
            functools.partial(check_inferencer, name=name, check_weights=check_weights),
        )
    for module in _APIS:
        when_imported(module, functools.partial(check_api, check_weights=check_weights))


def find_configs(infer: ModuleType, find_config: FindConfig) -> None:
    """Let inferencers that are given weights alone ask ``find_config``.

    Args:
        infer: ``mmengine.infer.infer``.
        find_config: As in :func:`install`.
    """
    inferencer = infer.BaseInferencer
    original = inferencer._init_model
    if _is_ours(original):
        return

    @functools.wraps(original)
    def _init_model(self: Any, cfg: Any, weights: str, device: str = 'cpu') -> Any:
        # for the message of `check_inferencer`
        self._weights_name = weights
        if not cfg:
            trusts = getattr(self, '_trust_checkpoint_config', False)
            cfg.update(find_config(str(weights), trusts)._cfg_dict)
        return original(self, cfg, weights, device)

    inferencer._init_model = _mark(_init_model)


def add_argument(pose2d_inferencer: ModuleType) -> None:
    """Give ``Pose2DInferencer`` the keyword ``trust_checkpoint_config``.

    Args:
        pose2d_inferencer: ``mmpose.apis.inferencers.pose2d_inferencer``.
    """
    inferencer = pose2d_inferencer.Pose2DInferencer
    original = inferencer.__init__
    if _is_ours(original):
        return

    @functools.wraps(original)
    def __init__(
        self: Any, *args: Any, trust_checkpoint_config: bool = False, **kwargs: Any
    ) -> None:
        self._trust_checkpoint_config = trust_checkpoint_config
        original(self, *args, **kwargs)

    inferencer.__init__ = _mark(__init__)


def check_inferencer(
    module: ModuleType, name: str, check_weights: CheckWeights
) -> None:
    """Check weights before an inferencer loads them.

    Args:
        module: Has the inferencer's class.
        name: Its name.
        check_weights: As in :func:`install`.
    """
    inferencer = getattr(module, name)
    original = inferencer._load_weights_to_model
    if _is_ours(original):
        return

    @functools.wraps(original)
    def _load_weights_to_model(
        self: Any, model: Any, checkpoint: Any, cfg: Any
    ) -> None:
        if checkpoint is not None:
            check_weights(checkpoint, str(self._weights_name), model)
        original(self, model, checkpoint, cfg)

    inferencer._load_weights_to_model = _mark(_load_weights_to_model)


def check_api(inference: ModuleType, check_weights: CheckWeights) -> None:
    """Check weights before a module's functions load them.

    Args:
        inference: Has mmengine's ``load_checkpoint``.
        check_weights: As in :func:`install`.
    """
    original = inference.load_checkpoint
    if _is_ours(original):
        return

    @functools.wraps(original)
    def load_checkpoint(model: Any, filename: str, *args: Any, **kwargs: Any) -> Any:
        from mmengine.runner import CheckpointLoader

        checkpoint = CheckpointLoader.load_checkpoint(filename, 'cpu', logger='silent')
        check_weights(checkpoint, str(filename), model)
        del checkpoint
        return original(model, filename, *args, **kwargs)

    inference.load_checkpoint = _mark(load_checkpoint)


def _mark(function: Callable) -> Callable:
    function.is_of_onestage_pose = True
    return function


def _is_ours(function: Callable) -> bool:
    return getattr(function, 'is_of_onestage_pose', False)
