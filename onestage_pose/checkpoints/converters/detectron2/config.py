# Copyright (c) onestage_pose contributors.
"""Find the config of a converted checkpoint, and check that it is its."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor, nn

from ....utils.errors import ConversionError
from ....utils.paths import get_config_path
from ...comparison import compare_weights
from .names import DetectronNames

_ANCHORS = 'proposal_generator.anchor_generator.cell_anchors.'


def default_config(weights: Mapping[str, Tensor]) -> Path:
    """Return the config of the published model that has these weights.

    Args:
        weights (Mapping[str, Tensor]): By this project's names.

    Returns:
        Path: Absolute.

    Raises:
        ConversionError: This project has no config for such a backbone.
    """
    names = DetectronNames.of_mmpose(weights)
    filters, width = weights['backbone.layer1.0.conv2.weight'].shape[:2]
    groups = filters // width
    kind = f'r{names.depth}' if groups == 1 else f'x{names.depth}-{groups}x{width}d'
    family = 'gcm_keypoint_rcnn/gcm-' if names.has_context else 'keypoint_rcnn/'
    config = f'{family}keypoint-rcnn_{kind}_fpn_3x_coco.py'
    try:
        return get_config_path(config)
    except FileNotFoundError:
        raise ConversionError(
            f'this project has no config for a backbone of {names.blocks} blocks and '
            f'{groups} groups of {width} channels ({config}): give one with --config.'
        ) from None


def check_against_config(
    weights: Mapping[str, Tensor],
    config: Config,
    constants: Mapping[str, Tensor] | None = None,
) -> None:
    """Raise an error unless weights and constants fit the model of a config.

    Args:
        weights (Mapping[str, Tensor]): By this project's names.
        config (Config): A whole config; its model is built, without initial weights.
        constants (Mapping[str, Tensor] | None): What Detectron2 keeps beside the
            weights, by its names: ``pixel_mean`` (3, 1, 1), ``pixel_std`` (3, 1, 1)
            and the anchors (A, 4) of each level. Any may be absent.

    Raises:
        ConversionError: Arrays are missing, unexpected, or have another shape or value;
            the message names them and the remedy.
    """
    init_default_scope(config.get('default_scope', 'mmpose'))
    model = MODELS.build(config.model)
    _check_shapes(weights, model, config)
    _check_constants(constants or {}, model, config)


def _check_shapes(
    weights: Mapping[str, Tensor], model: nn.Module, config: Config
) -> None:
    found = compare_weights(weights, model)
    if found.missing or found.reshaped or found.unexpected:
        raise ConversionError(
            f'the weights are not of the model of {config.filename}: {found}. Give '
            'the config of this model with --config.'
        )


def _check_constants(
    constants: Mapping[str, Tensor], model: nn.Module, config: Config
) -> None:
    expected = {
        'pixel_mean': ('model.data_preprocessor.mean', model.data_preprocessor.mean),
        'pixel_std': ('model.data_preprocessor.std', model.data_preprocessor.std),
    }
    for level, anchors in enumerate(model.rpn_head.prior_generator.base_anchors):
        expected[f'{_ANCHORS}{level}'] = 'model.rpn_head.anchor_generator', anchors
    for name, value in constants.items():
        setting, wanted = expected.get(name, ('model', torch.zeros(0)))
        given, wanted = value.flatten().float(), wanted.flatten()
        if given.shape != wanted.shape or not torch.allclose(given, wanted, rtol=1e-3):
            raise ConversionError(
                f'{name} of the checkpoint is {_numbers(given)}, but {setting} of '
                f'{config.filename} gives {_numbers(wanted)}: give the config of this '
                'model with --config.'
            )


def _numbers(values: Tensor) -> str:
    return str([round(value, 3) for value in values.tolist()])
