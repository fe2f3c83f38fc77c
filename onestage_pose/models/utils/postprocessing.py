# Copyright (c) onestage_pose contributors.
"""What follows the network: scores by the keypoints, and the form of the results."""

from __future__ import annotations

from collections.abc import Collection
from itertools import accumulate

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from .pose_nms import pose_nms
from .test_cfg import PredictionCfg
from .together import each_image


def postprocess(
    results: list[InstanceData], options: PredictionCfg
) -> list[InstanceData]:
    """Rescore and suppress the instances of each image by their poses.

    Args:
        results (list[InstanceData]): Of each image, as the RoI head predicts them.
        options (PredictionCfg): ``rescore_thr`` and ``pose_nms``.

    Returns:
        list[InstanceData]: Those left of each image, by falling score.
    """
    if options.rescore_thr is not None:
        by_presence = bool(options.rescore_by_presence)
        results = rescore(results, options.rescore_thr, by_presence)
    if options.pose_nms is not None:
        given = options.pose_nms.model_dump()
        results = [pose_nms(result, **given) for result in results]
    return results


def rescore(
    results: list[InstanceData], thr: float, by_presence: bool = False
) -> list[InstanceData]:
    """Multiply the scores by those of the keypoints, and sort.

    Args:
        results (list[InstanceData]): ``scores`` (N,) and ``keypoint_scores`` (N, K) of
            each image; where they have ``own_keypoints`` (N, K), the others do not
            count.
        thr (float): As :func:`mean_confident_score` takes it.
        by_presence (bool): Let each keypoint count as much as ``keypoint_presence``
            (N, K), which the results have then.

    Returns:
        list[InstanceData]: Of each image, by falling score.
    """
    if len(results) > 1 and 'masks' in results[0]:
        # which are as large as their image
        return [rescore([each], thr, by_presence)[0] for each in results]
    numbers = [len(each) for each in results]
    every = concatenate(results)
    weights = every.keypoint_presence if by_presence else None
    own = every.get('own_keypoints')
    if own is not None:
        weights = own.float() if weights is None else weights * own
    mean = mean_confident_score(every.keypoint_scores, thr, weights)
    every.scores = every.scores * mean
    order = every.scores.argsort(descending=True, stable=True)
    if len(results) > 1:
        image = each_image(range(len(results)), numbers, every.scores)
        order = order[image[order].argsort(stable=True)]
    return split(every[order], numbers)


def concatenate(
    results: list[InstanceData], leave_out: Collection[str] = ()
) -> InstanceData:
    """Return the instances of all images in turn.

    Args:
        results (list[InstanceData]): Of each image, with the same fields.
        leave_out (Collection[str]): Names of fields that are not needed.
    """
    names = [name for name in results[0].keys() if name not in leave_out]
    if len(results) == 1:
        return InstanceData(**{name: results[0].get(name) for name in names})
    return InstanceData(
        **{name: torch.cat([each.get(name) for each in results]) for name in names}
    )


def split(every: InstanceData, numbers: list[int]) -> list[InstanceData]:
    """Return the instances of each image, ``numbers`` of them, as views."""
    ends = list(accumulate(numbers))
    starts = (end - number for end, number in zip(ends, numbers))
    return [every[start:end] for start, end in zip(starts, ends)]


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


def pack_together(results: list[InstanceData], num_classes: int) -> list[InstanceData]:
    """Store the instances of each image, see :func:`pack_instances`.

    Those of all images come from the device in one go.
    """
    if 'masks' in results[0]:
        return [pack_instances(each, num_classes) for each in results]
    every = concatenate(results, leave_out=('keypoint_logits',))
    return split(pack_instances(every, num_classes), [len(each) for each in results])


def pack_instances(result: InstanceData, num_classes: int) -> InstanceData:
    """Store instances the way mmpose's estimators do.

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
