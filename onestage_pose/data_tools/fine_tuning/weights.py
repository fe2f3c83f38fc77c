# Copyright (c) onestage_pose contributors.
"""Weights for other keypoints, out of those of a published model."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from mmpose.registry import MODELS
from torch import Tensor

from ...checkpoints.atomic import replacing
from ...utils.errors import CheckpointError

_HEAD = 'roi_head.keypoint_head.'
# Along which axis the weights of the keypoint head have a slice for each keypoint.
_AXES = {
    'deconv.weight': 1,
    'deconv.bias': 0,
    'prior_scale': 0,
    'refine.weight': 0,
    'refine.bias': 0,
    'visibility_branch.offset': 0,
    'visibility_branch.weight': 0,
    'visibility_branch.bias': 0,
}
# Of the box branch: scores of the classes, background last, and four numbers a class.
_SCORES, _BOXES = ('.fc_cls.weight', '.fc_cls.bias'), ('.fc_reg.weight', '.fc_reg.bias')


def make_start(
    model: dict[str, Any],
    weights: Path,
    target: Path,
    names: Sequence[str],
    known: Sequence[str],
    seed: int = 0,
) -> list[str]:
    """Write the checkpoint that a fine-tuning starts from.

    Args:
        model (dict): Config of the model for the K keypoints.
        weights (Path): Checkpoint of the published model.
        target (Path): File to write.
        names (Sequence[str]): Of the K keypoints; of several categories in turn, where
            a name may come more than once.
        known (Sequence[str]): Of the published model's keypoints.
        seed (int): Of the initial values.

    Returns:
        list[str]: The keypoints whose output channels are the published model's; those
        of the others have their initial values.

    Raises:
        CheckpointError: The weights of another part differ in shape. The box branch of
            several categories starts from that of one.
    """
    saved = CheckpointLoader.load_checkpoint(str(weights), 'cpu', logger='silent')
    saved = dict(saved.get('state_dict', saved))
    state = _make_initial(model, seed)
    kept = [name for name in names if name in known]
    for name, initial in state.items():
        given = saved.get(name)
        axis = _AXES.get(name.removeprefix(_HEAD)) if name.startswith(_HEAD) else None
        if given is None:
            raise CheckpointError(f'{weights}: has no {name}, which the model needs.')
        if axis is not None:
            state[name] = _take_channels(given, initial, axis, names, known)
        elif given.shape == initial.shape:
            state[name] = given
        elif name.endswith(_SCORES) and len(given) == 2:
            # published in half precision, which would round the logarithm
            state[name] = _share_class(given.float(), len(initial) - 1)
        elif name.endswith(_BOXES) and len(given) == 4:
            state[name] = given.repeat(len(initial) // 4, *[1] * (given.dim() - 1))
        else:
            raise CheckpointError(
                f'{weights}: {name} is {tuple(given.shape)}, and the model needs '
                f'{tuple(initial.shape)}.'
            )
    with replacing(target) as part, open(part, 'wb') as file:
        torch.save(dict(meta={}, state_dict=state), file)
    return kept


def publish(source: Path, target: Path) -> None:
    """Write the weights of a training, and the keypoints that they are of.

    Args:
        source (Path): Checkpoint of a training.
        target (Path): File to write, for prediction.
    """
    checkpoint = CheckpointLoader.load_checkpoint(str(source), 'cpu', logger='silent')
    meta = {
        key: checkpoint['meta'][key]
        for key in ('dataset_meta', 'iter', 'mmengine_version', 'seed')
        if key in checkpoint['meta']
    }
    with replacing(target) as part, open(part, 'wb') as file:
        torch.save(dict(meta=meta, state_dict=checkpoint['state_dict']), file)


def _make_initial(model: dict[str, Any], seed: int) -> dict[str, Tensor]:
    init_default_scope('mmpose')
    logger = MMLogger.get_current_instance()
    level = logger.level
    # it logs a line for each weight
    logger.setLevel(logging.WARNING)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            built = MODELS.build(Config(dict(model=model)).model)
            built.init_weights()
    finally:
        logger.setLevel(level)
    return built.state_dict()


def _share_class(given: Tensor, number: int) -> Tensor:
    """Let several classes share the score of one, so that background stays as likely.

    Args:
        given (Tensor): Weights (2, C) or biases (2,) of a class and the background.
        number (int): How many classes there are.

    Returns:
        Tensor: (number + 1, C) or (number + 1,).
    """
    shared = given[:1].expand(number, *given.shape[1:])
    if given.dim() == 1:
        shared = shared - math.log(number)
    return torch.cat((shared, given[1:]))


def _take_channels(
    given: Tensor,
    initial: Tensor,
    axis: int,
    names: Sequence[str],
    known: Sequence[str],
) -> Tensor:
    taken = initial.clone()
    for place, name in enumerate(names):
        if name in known:
            source = given.select(axis, list(known).index(name))
            taken.select(axis, place).copy_(source)
    return taken
