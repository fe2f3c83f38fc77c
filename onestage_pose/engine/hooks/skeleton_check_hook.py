# Copyright (c) onestage_pose contributors.
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import nn

from ...codecs import RoIHeatmap
from ...structures.categories import get_categories
from ...utils.errors import ConfigValueError
from ...utils.wrapped_model import unwrap

# Sigmas go through float32 and are written with three decimals.
_TOLERANCE = 1e-3
# How often larger or smaller an area may be than the codec takes it to be.
_AREA_FACTOR = 1.5


@HOOKS.register_module()
class SkeletonCheckHook(Hook):
    """Stop a run before it starts if its model and its data have different keypoints.

    A codec without ``sigmas`` takes those of the metainfo, and so does
    ``test_cfg.pose_nms``. The hook compares with the metainfo of each data set: the
    keypoint head's number of keypoints, the box head's number of categories if the
    metainfo has categories, and the sigmas of the codec (if ``'expected_oks'`` uses
    them) and of ``test_cfg.pose_nms``. An ``area_ratio`` of the codec that is far from
    that of the training data is an error. In evaluation it is a warning, since the
    model may come from other data.

    Raises:
        ConfigValueError: The message names both sources and their values.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Compare; called before the first iteration."""
        model = unwrap(runner.model)
        found = {}
        for mode in ('train', 'val', 'test'):
            loader = getattr(getattr(runner, f'_{mode}_loop'), 'dataloader', None)
            metainfo = getattr(getattr(loader, 'dataset', None), 'metainfo', None)
            if isinstance(metainfo, Mapping) and 'num_keypoints' in metainfo:
                found[f'{mode}_dataloader.dataset'] = metainfo
        codec = getattr(getattr(model, 'roi_head', None), 'codec', None)
        if found and isinstance(codec, RoIHeatmap):
            codec.follow(next(iter(found.values())))
        for dataset, metainfo in found.items():
            check_skeleton(model, metainfo, dataset)
            fault = find_area_ratio_fault(model, metainfo, dataset)
            if fault and dataset.startswith('train'):
                raise ConfigValueError(fault)
            if fault:
                print_log(fault, logger='current', level=logging.WARNING)


def check_skeleton(model: nn.Module, metainfo: Mapping[str, Any], dataset: str) -> None:
    """Compare a model with the metainfo of a data set.

    Args:
        model (nn.Module): With a keypoint RoI head, or any other, which passes.
        metainfo (Mapping): As mmpose has parsed it.
        dataset (str): Where it comes from in the config, for messages.

    Raises:
        ConfigValueError: They differ.
    """
    head = getattr(model, 'roi_head', None)
    codec = getattr(head, 'codec', None)
    if not isinstance(codec, RoIHeatmap):
        return
    name = _name(metainfo, dataset)
    number = metainfo['num_keypoints']
    if head.num_keypoints != number:
        raise ConfigValueError(
            f'model.roi_head.keypoint_head.num_keypoints={head.num_keypoints}, but '
            f'{name} has {number} keypoints: set the one that is wrong.'
        )
    categories = get_categories(metainfo)
    if categories and head.num_classes != len(categories):
        names = ', '.join(category.name for category in categories)
        raise ConfigValueError(
            f'model.roi_head.bbox_head.num_classes={head.num_classes}, but {name} has '
            f'{len(categories)} categories ({names}): set the one that is wrong.'
        )
    sigmas = np.asarray(metainfo.get('sigmas', ()), np.float64)
    if not sigmas.size:
        return
    for key, given in _used_sigmas(model, codec):
        if len(given) == len(sigmas) and np.allclose(given, sigmas, rtol=_TOLERANCE):
            continue
        raise ConfigValueError(
            f'{key} are {_shown(given)}, but `sigmas` of {name} are {_shown(sigmas)}: '
            'both are the same numbers of OKS, so set the former to the latter, or '
            'correct the metainfo.'
        )


def find_area_ratio_fault(
    model: nn.Module, metainfo: Mapping[str, Any], dataset: str
) -> str | None:
    """Compare the codec's ``area_ratio`` with the areas of a data set.

    Args:
        model (nn.Module): As :func:`check_skeleton` takes it.
        metainfo (Mapping): With ``area_ratio``, the measured mean area of an instance
            over that of its box; without it nothing is compared.
        dataset (str): Where it comes from in the config, for the message.

    Returns:
        str | None: What is wrong and which value is right; None where decoding does not
        use ``area_ratio``, or both agree within a factor of 1.5.
    """
    head = getattr(model, 'roi_head', None)
    codec = getattr(head, 'codec', None)
    measured = metainfo.get('area_ratio')
    if not measured or not isinstance(codec, RoIHeatmap) or not codec.needs_sigmas:
        return None
    expected = codec.area_ratio * head.box_scale**2
    if 1 / _AREA_FACTOR < measured / expected < _AREA_FACTOR:
        return None
    return (
        f'model.roi_head.codec.area_ratio={codec.area_ratio:.3f} takes an instance to '
        f'fill {expected:.2f} of its box; by `area` and `bbox` of '
        f'{_name(metainfo, dataset)} it is {measured:.2f}. Set it to {measured:.2f} / '
        f'box_scale^2 = {measured / head.box_scale**2:.3f}.'
    )


def _name(metainfo: Mapping[str, Any], dataset: str) -> str:
    return f'the metainfo "{metainfo.get("dataset_name")}" of {dataset}'


def _used_sigmas(model: nn.Module, codec: RoIHeatmap) -> Iterator[tuple[str, tuple]]:
    if codec.needs_sigmas:
        yield 'model.roi_head.codec.sigmas', codec.sigmas
    pose_nms = getattr(getattr(model, 'test_options', None), 'pose_nms', None)
    if pose_nms is not None:
        given = pose_nms.sigmas or codec.sigmas
        yield 'model.test_cfg.pose_nms.sigmas', tuple(given)


def _shown(values: Any) -> str:
    texts = [f'{value:.3f}'.rstrip('0') for value in values]
    return ', '.join(texts[:4]) + (f', ... ({len(texts)})' if len(texts) > 4 else '')
