# Copyright (c) onestage_pose contributors.
"""Suppression of instances by their poses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.evaluation.functional import oks_nms, soft_oks_nms
from mmpose.evaluation.functional.nms import oks_iou


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
            ``keypoint_scores`` (N, K) of one image.
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
    points = torch.cat((result.keypoints, result.keypoint_scores[..., None]), -1)
    points = points.flatten(1).cpu().numpy()
    scores = result.scores.cpu().numpy()
    extent = result.keypoints.amax(1) - result.keypoints.amin(1)
    areas = extent.prod(-1).cpu().numpy()
    instances = [
        dict(keypoints=keypoints, score=score, area=area)
        for keypoints, score, area in zip(points, scores, areas)
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
