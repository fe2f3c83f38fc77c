# Copyright (c) onestage_pose contributors.
"""Suppression of instances by their poses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.evaluation.functional import oks_nms, soft_oks_nms
from mmpose.evaluation.functional.nms import oks_iou
from torch import Tensor


def pose_nms(
    result: InstanceData,
    type: str,
    thr: float,
    sigmas: Sequence[float] | None = None,
) -> InstanceData:
    """Suppress instances by object keypoint similarity (OKS) with better ones.

    By mmpose's functions, which give indices and leave the scores.

    Args:
        result (InstanceData): ``scores`` (N,), ``keypoints`` (N, K, 2) and
            ``keypoint_scores`` (N, K) of one image. Of several categories, with
            ``labels`` and ``own_keypoints``, each is suppressed by itself.
        type (str): ``'oks_nms'`` drops instances, ``'soft_oks_nms'`` keeps all and
            multiplies a score by ``exp(-OKS^2 / thr)`` for each better instance
            (Soft-NMS, arXiv 1704.04503).
        thr (float): OKS from which on an instance is dropped, or the divisor.
        sigmas (Sequence[float], optional): (K,) of OKS. By default COCO's.

    Returns:
        InstanceData: Those that are left, by falling score.
    """
    if not len(result):
        return result
    sigmas = None if sigmas is None else np.array(sigmas)
    if 'own_keypoints' not in result:
        return _suppress(result, type, thr, sigmas, slice(None))
    left = []
    for label in result.labels.unique():
        mine = result[result.labels == label]
        own = mine.own_keypoints[0]
        known = None if sigmas is None else sigmas[own.cpu().numpy()]
        left.append(_suppress(mine, type, thr, known, own))
    result = InstanceData.cat(left)
    return result[result.scores.argsort(descending=True)]


def _suppress(
    result: InstanceData,
    type: str,
    thr: float,
    sigmas: np.ndarray | None,
    own: Tensor | slice,
) -> InstanceData:
    """Suppress the instances of one category, by its own (K,) keypoints."""
    keypoints = result.keypoints[:, own]
    points = torch.cat((keypoints, result.keypoint_scores[:, own, None]), -1)
    points = points.flatten(1).cpu().numpy()
    scores = result.scores.cpu().numpy()
    extent = keypoints.amax(1) - keypoints.amin(1)
    areas = extent.prod(-1).cpu().numpy()
    instances = [
        dict(keypoints=each, score=score, area=area)
        for each, score, area in zip(points, scores, areas)
    ]
    if type == 'oks_nms':
        keep = oks_nms(instances, thr, sigmas=sigmas)
    else:
        keep = soft_oks_nms(instances, thr, max_dets=len(instances), sigmas=sigmas)
        points, areas = points[keep], areas[keep]
        decay = [
            oks_iou(points[i], points[:i], areas[i], areas[:i], sigmas) ** 2
            for i in range(len(keep))
        ]
        scores = scores.copy()
        scores[keep] *= np.exp([-overlap.sum() / thr for overlap in decay])
        result.scores = result.scores.new_tensor(scores)
    return result[torch.as_tensor(np.array(keep), device=result.scores.device)]
