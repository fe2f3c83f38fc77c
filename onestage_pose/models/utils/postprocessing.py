# Copyright (c) onestage_pose contributors.
"""What follows the network: scores by the keypoints, and the form of the results."""

from __future__ import annotations

from mmengine.structures import InstanceData
from torch import Tensor

from .pose_nms import pose_nms
from .test_cfg import PredictionCfg


def postprocess(result: InstanceData, options: PredictionCfg) -> InstanceData:
    """Rescore and suppress the instances of one image by their poses.

    Args:
        result (InstanceData): As the RoI head predicts them.
        options (PredictionCfg): ``rescore_thr`` and ``pose_nms``.

    Returns:
        InstanceData: Those left, by falling score.
    """
    if options.rescore_thr is not None:
        by_presence = bool(options.rescore_by_presence)
        result = rescore(result, options.rescore_thr, by_presence)
    if options.pose_nms is not None:
        result = pose_nms(result, **options.pose_nms.model_dump())
    return result


def rescore(
    result: InstanceData, thr: float, by_presence: bool = False
) -> InstanceData:
    """Multiply the scores by those of the keypoints, and sort.

    Args:
        result (InstanceData): ``scores`` (N,), which are changed, and
            ``keypoint_scores`` (N, K) of one image.
        thr (float): As :func:`mean_confident_score` takes it.
        by_presence (bool): Let each keypoint count as much as ``keypoint_presence``
            (N, K), which the result has then.

    Returns:
        InstanceData: By falling score.
    """
    weights = result.keypoint_presence if by_presence else None
    mean = mean_confident_score(result.keypoint_scores, thr, weights)
    result.scores = result.scores * mean
    return result[result.scores.argsort(descending=True)]


def mean_confident_score(
    keypoint_scores: Tensor, thr: float, weights: Tensor | None = None
) -> Tensor:
    """Return the mean of each instance's scores above a threshold.

    Args:
        keypoint_scores (Tensor): (N, K).
        thr (float): Scores up to this are left out.
        weights (Tensor, optional): (N, K) from 0 to 1, how much each one counts. By
            default 1.

    Returns:
        Tensor: (N,), 0 where none is above.
    """
    confident = (keypoint_scores > thr).to(keypoint_scores)
    if weights is None:
        return (keypoint_scores * confident).sum(-1) / confident.sum(-1).clamp(min=1)
    confident = confident * weights
    return (keypoint_scores * confident).sum(-1) / confident.sum(-1).clamp(min=1e-6)


def pack_instances(result: InstanceData, num_classes: int) -> InstanceData:
    """Store the instances of one image the way mmpose's estimators do.

    Args:
        result (InstanceData): As the RoI head predicts them.
        num_classes (int): Categories that the box branch tells apart.

    Returns:
        InstanceData: Of numpy arrays: ``bboxes`` (N, 4), ``bbox_scores`` (N,),
        ``keypoints`` (N, K, 2) in pixel-index convention, ``keypoint_scores`` (N, K)
        and the same as ``keypoints_visible``, ``labels`` (N,) where there is more than
        one class, and ``masks`` where there is a mask branch. Where there is a
        visibility branch, ``keypoints_visible`` are the probabilities of being seen and
        ``keypoint_presence`` (N, K) those of being in the image.
        ``keypoint_covariances`` (N, K, 2, 2) where asked for.
    """
    packed = InstanceData(
        bboxes=result.bboxes,
        bbox_scores=result.scores,
        keypoints=result.keypoints,
        keypoint_scores=result.keypoint_scores,
        # as mmpose's estimators do where no visibility is predicted; what its
        # visualizer compares to kpt_thr
        keypoints_visible=result.get('keypoints_visible', result.keypoint_scores),
    )
    for name in ('keypoint_presence', 'keypoint_covariances'):
        if name in result:
            packed.set_field(result.get(name), name)
    if num_classes > 1:
        packed.labels = result.labels
    if 'masks' in result:
        packed.masks = result.masks
    return packed.numpy()
