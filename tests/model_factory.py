# Copyright (c) onestage_pose contributors.
"""A Keypoint R-CNN of a few thousand weights, and batches to feed it."""

from pathlib import Path
from typing import Any

import onestage_pose  # noqa: F401

import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

MODEL_CONFIGS = Path(__file__).resolve().parents[1] / 'configs/_base_/models'
WIDTH = 16  # channels of the FPN and of all that follows
# what tiny_config changes for an image pyramid
PYRAMID = dict(
    image_pyramid=True,
    rpn_head__anchor_generator__strides=[8, 16, 32, 64, 128],
    roi_head__bbox_roi_extractor__levels=[0, 2, 3, 4],
    roi_head__keypoint_roi_extractor__featmap_strides=[4, 8],
    roi_head__keypoint_roi_extractor__finest_scale=112,
)


def tiny_config(
    num_keypoints: int = 17,
    head: str = 'gcm',
    cascade: bool = False,
    mask: bool = False,
    **changes: Any,
) -> ConfigDict:
    """The nano model's config, shrunk until a step takes a moment.

    Detections are not thresholded, so untrained weights find people too.

    Args:
        num_keypoints: Keypoints of a person.
        head: ``'gcm'`` or ``'conv'``.
        cascade: Whether the box branch is a cascade.
        mask: Whether there is a mask branch.
        changes: Dotted names in the config, with ``__`` for the dots, and values.
    """
    cfg = Config.fromfile(MODEL_CONFIGS / 'gcm-keypoint-rcnn_r18-w32_fpn.py')
    if cascade:
        other = Config.fromfile(MODEL_CONFIGS / 'cascade-keypoint-rcnn_r50_fpn.py')
        for key in ('type', 'num_stages', 'stage_loss_weights', 'bbox_head'):
            cfg.model.roi_head[key] = other.model.roi_head[key]
        cfg.model.train_cfg.rcnn = other.model.train_cfg.rcnn
        box_heads, stages = cfg.model.roi_head.bbox_head, cfg.model.train_cfg.rcnn
    else:
        box_heads, stages = [cfg.model.roi_head.bbox_head], [cfg.model.train_cfg.rcnn]
    for box_head in box_heads:
        box_head.update(in_channels=WIDTH, fc_out_channels=32)
    for stage in stages:
        stage.sampler.num = 32
    keypoint_head = dict(
        type='GCMKeypointHead' if head == 'gcm' else 'ConvKeypointHead',
        num_convs=1 if head == 'gcm' else 2,
        in_channels=WIDTH,
        conv_out_channels=24,
        num_keypoints=num_keypoints,
    )
    options = {
        'backbone.base_channels': 8,
        'neck.in_channels': [8, 16, 32, 64],
        'neck.out_channels': WIDTH,
        'rpn_head.in_channels': WIDTH,
        'rpn_head.feat_channels': WIDTH,
        'roi_head.bbox_roi_extractor.out_channels': WIDTH,
        'roi_head.keypoint_roi_extractor.out_channels': WIDTH,
        'roi_head.keypoint_head': ConfigDict(_delete_=True, **keypoint_head),
        'train_cfg.rpn_proposal.max_per_img': 60,
        'test_cfg.rpn.max_per_img': 40,
        'test_cfg.rcnn.score_thr': 0.0,
        'test_cfg.rcnn.max_per_img': 8,
    }
    if mask:
        options['roi_head.mask_roi_extractor'] = dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=0),
            out_channels=WIDTH,
            featmap_strides=[4, 8, 16, 32],
        )
        options['roi_head.mask_head'] = dict(
            type='FCNMaskHead',
            num_convs=1,
            in_channels=WIDTH,
            conv_out_channels=8,
            num_classes=1,
            loss_mask=dict(type='CrossEntropyLoss', use_mask=True, loss_weight=1.0),
        )
    options.update({key.replace('__', '.'): value for key, value in changes.items()})
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    return cfg.model


def initialise(model: nn.Module) -> None:
    """``init_weights`` without a line in the log for every parameter."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    model.init_weights()
    logger.setLevel(level)


def build_as_runner(cfg: ConfigDict) -> nn.Module:
    """The model as mmengine's Runner builds it under this project's configs."""
    with DefaultScope.overwrite_default_scope('mmpose'):
        return MODELS.build(cfg)


def build(cfg: ConfigDict, seed: int = 0) -> nn.Module:
    """The model of ``cfg`` with weights of ``seed``, in training mode."""
    torch.manual_seed(seed)
    model = build_as_runner(cfg)
    initialise(model)
    # Deltas of 0.001 would leave every box where its anchor is.
    for name, parameter in model.named_parameters():
        if name.endswith(('fc_reg.weight', 'fc_cls.weight')):
            nn.init.normal_(parameter, std=0.1)
    return model


def tiny_model(**options: Any) -> nn.Module:
    """:func:`build` of :func:`tiny_config`."""
    return build(tiny_config(**options))


def make_picture(height: int, width: int, seed: int = 0) -> Tensor:
    """A picture of coloured blots, (3, height, width) uint8."""
    generator = torch.Generator().manual_seed(seed)
    blots = torch.rand(1, 3, height // 8 + 2, width // 8 + 2, generator=generator)
    picture = nn.functional.interpolate(blots, (height, width), mode='bicubic')
    return (picture[0].clamp(0, 1) * 255).byte()


def make_people(
    size: tuple[int, int],
    num_people: int,
    num_keypoints: int = 17,
    visible: float = 1.0,
    masks: bool = False,
    seed: int = 0,
) -> InstanceData:
    """``gt_instance_labels`` of people whose keypoints lie in their boxes.

    Args:
        size: Height and width of the picture.
        num_people: How many people.
        num_keypoints: Keypoints of each.
        visible: Visibility of all keypoints; 0: not labelled.
        masks: Whether they have masks, which are their boxes.
        seed: Of where they stand.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    scale = torch.tensor([width, height])
    extent = (0.4 + 0.4 * torch.rand(num_people, 2, generator=generator)) * scale
    corner = torch.rand(num_people, 2, generator=generator) * (scale - extent)
    inside = torch.rand(num_people, num_keypoints, 2, generator=generator)
    people = InstanceData(
        bboxes=torch.cat((corner, corner + extent), -1),
        labels=torch.zeros(num_people, dtype=torch.long),
        keypoints=corner[:, None] + inside * extent[:, None] - 0.5,
        keypoints_visible=torch.full((num_people, num_keypoints), visible),
    )
    if masks:
        bitmaps = np.zeros((num_people, height, width), np.uint8)
        for bitmap, (x1, y1, x2, y2) in zip(bitmaps, people.bboxes.int().tolist()):
            bitmap[y1:y2, x1:x2] = 1
        people.masks = BitmapMasks(bitmaps, height, width)
    return people


def make_sample(
    size: tuple[int, int],
    people: InstanceData | None = None,
    scale_factor: tuple[float, float] = (1.0, 1.0),
    num_keypoints: int = 17,
) -> PoseDataSample:
    """A picture's data sample.

    Args:
        size: Height and width of the network's input, before it is padded.
        people: ``gt_instance_labels``.
        scale_factor: By how much (w, h) the picture was resized to ``size``.
        num_keypoints: Neighbours swap when it is flipped: 0, 2 1, 4 3, ...
    """
    height, width = size
    ori_shape = round(height / scale_factor[1]), round(width / scale_factor[0])
    pairs = range(1, num_keypoints - num_keypoints % 2, 2)
    flip_indices = list(range(num_keypoints))
    for left in pairs:
        if left + 1 < num_keypoints:
            flip_indices[left], flip_indices[left + 1] = left + 1, left
    sample = PoseDataSample(
        metainfo=dict(
            img_id=1,
            img_shape=size,
            ori_shape=ori_shape,
            scale_factor=scale_factor,
            flip_indices=flip_indices,
        )
    )
    if people is not None:
        sample.gt_instance_labels = people
    return sample


def collate(
    model: nn.Module, pictures: list[Tensor], samples: list[PoseDataSample]
) -> dict:
    """What the model's forward takes: normalised, padded, a fresh copy."""
    data = dict(inputs=pictures, data_samples=[sample.clone() for sample in samples])
    return model.data_preprocessor(data, model.training)


def predict(
    model: nn.Module, pictures: list[Tensor], samples: list[PoseDataSample]
) -> list[PoseDataSample]:
    """The model's predictions for the pictures, as one batch."""
    model.eval()
    with torch.no_grad():
        return model(**collate(model, pictures, samples), mode='predict')


def losses(
    model: nn.Module, pictures: list[Tensor], samples: list[PoseDataSample]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The model's total loss on the pictures, and all it consists of."""
    model.train()
    return model.parse_losses(model(**collate(model, pictures, samples), mode='loss'))
