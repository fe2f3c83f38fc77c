# Copyright (c) onestage_pose contributors.
"""How alike people of two frames are, by box and by pose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmdet.evaluation.functional import bbox_overlaps

from ..codecs.decoders.options import PERSON_AREA_RATIO
from ..evaluation.analysis.similarity import keypoint_similarity

#: Keypoints whose score is under this say nothing of where a person is.
MIN_SCORE = 0.1


def pairwise_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes (M, 4) and (N, 4), as (M, N)."""
    if not len(boxes) or not len(others):
        return np.zeros((len(boxes), len(others)))
    return bbox_overlaps(boxes, others)


def pairwise_oks(
    keypoints: np.ndarray,
    others: np.ndarray,
    boxes: np.ndarray,
    sigmas: Sequence[float],
) -> np.ndarray:
    """Return the object keypoint similarity of people in two frames.

    A keypoint counts by the smaller one of its two scores, where hidden ones are
    guesses; the area is that of the first person's box, as COCO's relates to it.

    Args:
        keypoints (np.ndarray): (M, K, 3): x, y in pixels, and the score.
        others (np.ndarray): (N, K, 3), likewise.
        boxes (np.ndarray): (M, 4) xyxy of the former.
        sigmas (Sequence[float]): (K,), COCO's standard deviations.

    Returns:
        np.ndarray: (M, N), 0 to 1; 0 where no keypoint is sure in both.
    """
    if not len(keypoints) or not len(others):
        return np.zeros((len(keypoints), len(others)))
    # a predicted box can shrink to nothing
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    alike = keypoint_similarity(
        others[..., :2],
        keypoints[..., :2],
        PERSON_AREA_RATIO * sizes.prod(1),
        np.array(sigmas),
    ).swapaxes(0, 1)
    weights = np.minimum(keypoints[:, None, :, 2], others[None, :, :, 2])
    weights = np.where(weights < MIN_SCORE, 0, weights)
    total = weights.sum(-1)
    return (alike * weights).sum(-1) / np.where(total > 0, total, 1)


def move_keypoints(
    keypoints: np.ndarray, boxes: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Move people's keypoints with their boxes.

    Args:
        keypoints (np.ndarray): (N, K, 3): x, y in pixels, and the score.
        boxes (np.ndarray): (N, 4) xyxy, where the people are.
        targets (np.ndarray): (N, 4), where they go: shifted, and scaled by the height.

    Returns:
        np.ndarray: (N, K, 3).
    """
    centers, goals = ((each[:, :2] + each[:, 2:]) / 2 for each in (boxes, targets))
    heights, others = (each[:, 3] - each[:, 1] for each in (boxes, targets))
    scale = (others / np.maximum(heights, 1))[:, None, None]
    moved = (keypoints[..., :2] - centers[:, None]) * scale + goals[:, None]
    return np.concatenate([moved, keypoints[..., 2:]], -1)
