# Copyright (c) onestage_pose contributors.
"""A project's config with its layers made narrow, and random weights for it."""

from pathlib import Path

from onestage_pose.utils import get_config_path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS

from tests.kites_and_bars import METAINFO

REPOSITORY = Path(__file__).resolve().parents[2]
SYNTHETIC = 'gcm-keypoint-rcnn_r18-w32_fpn_synthetic'
COCO = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'

# Random weights know nobody: every box passes, and the three best are kept.
_CONFIG = """
_base_ = ['{base}']

model = dict(
    backbone=dict(depth=18, base_channels=8, init_cfg=None),
    neck=dict(in_channels=[8, 16, 32, 64], out_channels=8),
    rpn_head=dict(in_channels=8, feat_channels=8),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=8),
        bbox_head=dict(in_channels=8, fc_out_channels=16),
        keypoint_roi_extractor=dict(out_channels=8),
        keypoint_head=dict(
            num_convs=1, in_channels=8, conv_out_channels=16,
            visibility_branch={visibility_branch})),
    test_cfg=dict(
        rpn=dict(nms_pre=50, max_per_img=20),
        rcnn=dict(score_thr={score_thr}, max_per_img=3)))
"""


def write_tiny_model(
    folder: Path,
    base: str = SYNTHETIC,
    score_thr: float = 0.0,
    visibility_branch: dict | None = None,
) -> tuple[str, str]:
    """Writes a config that inherits a project's, and a checkpoint of it.

    Args:
        folder: Where they go.
        base: The project's config, as :func:`get_config_path` takes it.
        score_thr: Least box score; of over 1 nobody is found.
        visibility_branch: Options of the keypoint head's.

    Returns:
        The paths of the config and the checkpoint.
    """
    config = folder / 'tiny.py'
    config.write_text(
        _CONFIG.format(
            base=get_config_path(base),
            score_thr=score_thr,
            visibility_branch=visibility_branch,
        )
    )
    checkpoint = folder / 'tiny.pth'
    write_random_weights(config, checkpoint)
    return str(config), str(checkpoint)


def write_tiny_of_categories(folder: Path) -> tuple[str, str]:
    """Writes a config and a checkpoint of a model of kites and bars.

    Args:
        folder: Where they go.

    Returns:
        The paths of the config and the checkpoint.
    """
    base, _ = write_tiny_model(folder)
    config, checkpoint = folder / 'categories.py', folder / 'categories.pth'
    config.write_text(
        f"_base_ = ['{base}']\n"
        'model = dict(roi_head=dict(bbox_head=dict(num_classes=2),\n'
        '             keypoint_head=dict(num_keypoints=6)),\n'
        '             test_cfg=dict(rcnn=dict(max_per_img=6)))\n'
    )
    write_random_weights(config, checkpoint, METAINFO)
    return str(config), str(checkpoint)


def write_random_weights(
    config: Path, checkpoint: Path, metainfo: dict | None = None
) -> None:
    """Writes a checkpoint as a run of ``config`` leaves it, before training."""
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    branch = model.roi_head.keypoint_head.visibility_branch
    if branch is not None:
        torch.nn.init.normal_(branch.weight)
    coco = dict(from_file='configs/_base_/datasets/coco.py')
    meta = parse_pose_metainfo(metainfo or coco)
    torch.save(
        dict(state_dict=model.state_dict(), meta=dict(dataset_meta=meta)), checkpoint
    )


def picture(height: int = 96, width: int = 128, seed: int = 0) -> np.ndarray:
    """A picture of blots, (height, width, 3) uint8 BGR."""
    blots = np.random.RandomState(seed).randint(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(blots, (width, height), interpolation=cv2.INTER_CUBIC)
