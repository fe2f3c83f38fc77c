# Copyright (c) onestage_pose contributors.
"""The published models: one row each."""

from __future__ import annotations

from typing import NamedTuple


class PublishedModel(NamedTuple):
    """A row of :data:`MODELS`.

    Attributes:
        config (str): Its config, below ``configs/``.
        weights (str): Its checkpoint, below ``onestage_pose/weights/``.
        sha256 (str): The SHA-256 of the checkpoint, in hexadecimal digits.
    """

    config: str
    weights: str
    sha256: str


#: By name, in lower case.
MODELS = {
    'nano': PublishedModel(
        config='nano/gcm-keypoint-rcnn_efficientnet-lite0_fpn_coco-pool.py',
        weights='gcm-keypoint-rcnn_efficientnet-lite0_fpn_coco-pool-1703fd32.pth',
        sha256='1703fd32c831f6cb4d7988d24fed4cdc845a211557a2ae09b55d6b087509a2cb',
    ),
}
