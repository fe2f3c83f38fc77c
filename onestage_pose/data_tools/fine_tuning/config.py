# Copyright (c) onestage_pose contributors.
"""Write the config of a fine-tuning, in plain OpenMMLab form."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from .schedule import Schedule, scale_rate
from .skeleton import find_prior_channels

#: The folder of the config, as mmengine replaces it.
HERE = '{{ fileDirname }}'
START = 'start.pth'

# Parts of the model's own config that are taken as they are.
_RUNTIME = (
    'default_scope',
    'custom_imports',
    'env_cfg',
    'vis_backends',
    'visualizer',
    'log_processor',
    'log_level',
    'custom_hooks',
)
# A window to train on, and how long the longer side of an image is in it, over the size
# that images are tested at.
_WINDOW, _SIZES = 0.62, (0.55, 1.1)
# An object should be so long at least, in pixels of the network's input.
_LEAST_OBJECT, _LARGEST_INPUT, _MULTIPLE = 64, 2.0, 32
# Images of so many bytes in all stay in the memory of each worker.
_KEPT_BYTES = 500e6
# Predictions of an image: so many times the most instances that one has.
_ROOM = 2
# Columns of the config.
_LINE = 80


class Part(NamedTuple):
    """Annotations and images of one data set.

    Attributes:
        ann_file (str): Path of the file.
        image_folder (str): Where the names of its images start.
        num_images (int): How many they are.
    """

    ann_file: str
    image_folder: str
    num_images: int


class DataFacts(NamedTuple):
    """What a model and a pipeline are made to fit.

    Attributes:
        names (Sequence[str]): Of the K keypoints, of several categories in turn.
        area_ratio (float | None): Mean area of an instance over that of its box.
        most_instances (int): Of an image.
        object_share (float): Median of the longer side of a box over that of its image.
        num_bytes (float): Of all decoded training images.
        num_categories (int): How many categories there are.
    """

    names: Sequence[str]
    area_ratio: float | None
    most_instances: int
    object_share: float
    num_bytes: float
    num_categories: int = 1


def make_config(
    base: Config,
    metainfo: Mapping[str, Any],
    train: Part,
    val: Part,
    facts: DataFacts,
    schedule: Schedule,
    flip: bool,
    seed: int,
    num_workers: int,
    head: str,
) -> str:
    """Make the text of a config file.

    Args:
        base (Config): Of the published model.
        metainfo (Mapping): As :func:`.make_metainfo` makes it; every data set of the
            config has it from one variable, and so have the metric and the codec.
        train (Part): Data to train on.
        val (Part): Data to validate on.
        facts (DataFacts): Of the training data.
        schedule (Schedule): How long to train.
        flip (bool): Mirror images in training.
        seed (int): Of the training.
        num_workers (int): Processes that load the images.
        head (str): Comment lines at the top.

    Returns:
        str: Python. It inherits nothing; :data:`START` beside it has the weights that
        it starts from.
    """
    test_pipeline = _make_test_pipeline(base, facts)
    parts = [head.rstrip() + '\n']

    def add(name: str, value: Any) -> None:
        parts.append(f'{name} = {_format(value)}\n')

    parts.append(
        '# The keypoints. Training, decoding and evaluation read sigmas here alone.\n'
        f'metainfo = {_format_metainfo(metainfo)}\n'
    )
    add('data_mode', 'bottomup')
    add('train_pipeline', _make_train_pipeline(base, test_pipeline, facts, flip))
    add('test_pipeline', test_pipeline)
    # proposals in crowd regions are no negatives where the assigner heeds them
    assigner = base.model.train_cfg.rcnn.assigner
    options = dict(keep_crowds=True) if assigner.ignore_iof_thr > 0 else {}
    # images without an object teach what is none
    options['filter_cfg'] = dict(min_keypoints=0)
    batch = schedule.batch_size
    parts += [
        _format_loader('train', train, num_workers, batch, **options),
        _format_loader('val', val, num_workers),
    ]
    parts.append('test_dataloader = val_dataloader\n')
    add(
        'val_evaluator',
        [
            dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
            dict(type='PersonBoxMetric'),
        ],
    )
    parts.append('test_evaluator = val_evaluator\n')
    add('model', make_model(base, facts))
    add(
        'train_cfg',
        dict(
            type='IterBasedTrainLoop',
            max_iters=schedule.max_iters,
            val_interval=schedule.val_interval,
        ),
    )
    add('val_cfg', {})
    add('test_cfg', {})
    add('optim_wrapper', _make_optim_wrapper(base, schedule))
    add('param_scheduler', _make_scheduler(schedule))
    add('default_hooks', _make_hooks(base, schedule))
    for name in _RUNTIME:
        if name in base:
            add(name, base[name])
    parts.append(
        '# The weights of the model that it starts from.\n'
        f"load_from = '{HERE}/{START}'\n"
    )
    add('resume', False)
    add('randomness', dict(seed=seed))
    return '\n'.join(parts)


def make_model(base: Config, facts: DataFacts) -> dict[str, Any]:
    """Return the published model's config for other keypoints.

    Args:
        base (Config): Of the published model.
        facts (DataFacts): Of the training data.

    Returns:
        dict: Without initial weights, which :data:`START` has.
    """
    model = _without_weights(base.model.to_dict())
    roi_head = model['roi_head']
    head = roi_head['keypoint_head']
    head['num_keypoints'] = len(facts.names)
    if head['type'] in ('PriorKeypointHead', 'FinePriorKeypointHead'):
        head['prior_channels'] = find_prior_channels(facts.names)
    for place in (roi_head, head):
        place.get('codec', {}).pop('sigmas', None)
        place.get('codec', {}).pop('area_ratio', None)
    if facts.area_ratio is not None:
        scale = roi_head.get('box_scale', 1.0)
        codec = roi_head.setdefault('codec', {})
        codec['area_ratio'] = round(facts.area_ratio / scale**2, 3)
    if facts.num_categories > 1:
        roi_head['bbox_head']['num_classes'] = facts.num_categories
    sampler = model['train_cfg']['rcnn']['sampler']
    # many boxes of one instance in one image teach little more than some do
    sampler['num'] = min(sampler['num'], max(32, 32 * facts.most_instances))
    rcnn = model['test_cfg']['rcnn']
    rcnn['max_per_img'] = max(rcnn['max_per_img'], _ROOM * facts.most_instances)
    return model


def _without_weights(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_weights(each)
            for key, each in value.items()
            if not (key == 'init_cfg' and _is_pretrained(each))
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_without_weights(each) for each in value)
    return value


def _is_pretrained(init_cfg: Any) -> bool:
    return isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained'


def _make_test_pipeline(base: Config, facts: DataFacts) -> list[dict]:
    pipeline = copy.deepcopy(base.test_dataloader.dataset.pipeline)
    pipeline = [dict(transform) for transform in pipeline]
    for transform in pipeline:
        scale = transform.get('scale')
        if scale is not None and scale[0] == scale[1]:
            size = np.clip(
                _LEAST_OBJECT / max(facts.object_share, 1e-6),
                scale[0],
                _LARGEST_INPUT * scale[0],
            )
            transform['scale'] = (_round(size),) * 2
    return pipeline


def _make_train_pipeline(
    base: Config, test_pipeline: list[dict], facts: DataFacts, flip: bool
) -> list[dict]:
    scale = next(each['scale'] for each in test_pipeline if 'scale' in each)
    if scale[0] != scale[1]:
        # of a model for large images: as it was trained itself
        own = base.train_dataloader.dataset.pipeline
        pipeline = [dict(each) for each in copy.deepcopy(own)]
        return [each for each in pipeline if flip or 'Flip' not in each['type']]
    keep = facts.num_bytes <= _KEPT_BYTES
    window = _round(_WINDOW * base_size(base))
    steps = [
        dict(type='LoadPoseImage', keep_in_memory=keep),
        dict(
            type='PoseRandomAffine',
            input_size=(window, window),
            size_range=tuple(round(share * scale[0]) for share in _SIZES),
            rotate=20.0,
            rotate_prob=0.5,
        ),
        dict(type='YOLOXHSVRandomAug'),
        dict(type='PoseRandomFlip', prob=0.5),
        dict(type='PackKeypointRCNNInputs'),
    ]
    return [each for each in steps if flip or each['type'] != 'PoseRandomFlip']


def base_size(base: Config) -> int:
    """Return the longer side of the images that a published model is tested on."""
    pipeline = base.test_dataloader.dataset.pipeline
    return next(each['scale'][0] for each in pipeline if 'scale' in each)


def _round(size: float) -> int:
    return max(_MULTIPLE, int(round(size / _MULTIPLE)) * _MULTIPLE)


def _make_optim_wrapper(base: Config, schedule: Schedule) -> dict[str, Any]:
    wrapper = copy.deepcopy(base.optim_wrapper).to_dict()
    optimizer = wrapper['optimizer']
    batch = base.auto_scale_lr.base_batch_size
    optimizer['lr'] = scale_rate(
        optimizer['lr'], optimizer['type'], schedule.batch_size, batch
    )
    return wrapper


def _make_scheduler(schedule: Schedule) -> list[dict]:
    steps: list[dict] = []
    if schedule.warmup:
        steps.append(
            dict(
                type='LinearLR',
                start_factor=0.01,
                by_epoch=False,
                begin=0,
                end=schedule.warmup,
            )
        )
    steps.append(
        dict(
            type='CosineAnnealingLR',
            by_epoch=False,
            begin=schedule.warmup,
            end=schedule.max_iters,
            eta_min_ratio=0.01,
        )
    )
    return steps


def _make_hooks(base: Config, schedule: Schedule) -> dict[str, Any]:
    hooks = copy.deepcopy(base.default_hooks).to_dict()
    hooks['logger']['interval'] = 10
    hooks['checkpoint'].update(interval=schedule.checkpoint_interval, max_keep_ckpts=2)
    return hooks


def _format(value: Any, indent: int = 0) -> str:
    """Return a value as Python, in one line where it is short."""
    if hasattr(value, 'to_dict'):
        value = value.to_dict()
    if isinstance(value, dict) and all(str(key).isidentifier() for key in value):
        opening, closing = 'dict(', ')'
        # what it is comes first
        keys = sorted(value, key=lambda key: key != 'type')
        items = [(f'{key}=', value[key]) for key in keys]
    elif isinstance(value, dict):
        opening, closing = '{', '}'
        items = [(f'{key!r}: ', each) for key, each in value.items()]
    elif isinstance(value, (list, tuple)):
        opening, closing = '[]' if isinstance(value, list) else '()'
        items = [('', each) for each in value]
    else:
        return repr(value)
    inner = indent + 4
    texts = [f'{key}{_format(each, inner)}' for key, each in items]
    comma = ',' if isinstance(value, tuple) and len(texts) == 1 else ''
    line = f'{opening}{", ".join(texts)}{comma}{closing}'
    if '\n' not in line and len(line) <= _LINE - indent:
        return line
    space = '\n' + ' ' * inner
    body = ''.join(f'{space}{text},' for text in texts)
    return f'{opening}{body}\n{" " * indent}{closing}'


def _format_metainfo(metainfo: Mapping[str, Any]) -> str:
    """Return metainfo as Python, with a line for each keypoint."""
    if 'categories' in metainfo:
        entries = ''.join(
            f'{_format_metainfo(each)},\n' for each in metainfo['categories']
        )
        return (
            f'dict(\n    dataset_name={metainfo["dataset_name"]!r},\n    categories=[\n'
            f'{textwrap.indent(entries, " " * 8)}    ],\n)'
        )
    lines = ['dict(']
    for key in ('dataset_name', 'name', 'id'):
        if key in metainfo:
            lines.append(f'    {key}={metainfo[key]!r},')
    for key in ('keypoint_info', 'skeleton_info'):
        lines.append(f'    {key}={{')
        for number, entry in metainfo[key].items():
            inner = ', '.join(f'{name}={value!r}' for name, value in entry.items())
            lines.append(f'        {number}: dict({inner}),')
        lines.append('    },')
    lines += [f'    {key}={metainfo[key]!r},' for key in ('joint_weights', 'sigmas')]
    return '\n'.join([*lines, ')'])


def _format_loader(
    name: str, part: Part, num_workers: int, batch_size: int = 1, **options: Any
) -> str:
    is_train = name == 'train'
    if is_train:
        sampler = dict(type='InfiniteSampler', shuffle=True)
    else:
        sampler = dict(type='DefaultSampler', shuffle=False, round_up=False)
    more = ''.join(f'        {key}={value!r},\n' for key, value in options.items())
    mode = 'train' if is_train else 'test'
    return f"""{name}_dataloader = dict(
    batch_size={batch_size},
    num_workers={num_workers},
    persistent_workers={num_workers > 0},
    drop_last=False,
    sampler={_format(sampler)},
    dataset=dict(
        type='PersonKeypointsDataset',
        metainfo=metainfo,
        data_mode=data_mode,
        ann_file={part.ann_file!r},
        data_prefix=dict(img={part.image_folder!r}),
        test_mode={not is_train},
        pipeline={mode}_pipeline,
{more}    ),
)
"""


def write_relative(path: Path, folder: Path) -> str:
    """Return a path as it stands in the config of a folder.

    Args:
        path (Path): Absolute.
        folder (Path): Of the config.

    Returns:
        str: Below the folder it starts with :data:`HERE`, so that the folder may move.
    """
    if path.is_relative_to(folder):
        return f'{HERE}/{path.relative_to(folder).as_posix()}'
    return str(path)
