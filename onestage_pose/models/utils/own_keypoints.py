# Copyright (c) onestage_pose contributors.
"""Instances of several categories, each with its own of the keypoints of all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData
from torch import Tensor

# What is predicted of each keypoint.
_OF_KEYPOINTS = (
    'keypoints',
    'keypoint_scores',
    'keypoint_presence',
    'keypoints_visible',
    'keypoint_covariances',
)


def find_own_keypoints(labels: Tensor, owners: Sequence[int]) -> Tensor:
    """Say which of all keypoints are those of an instance's category.

    Args:
        labels (Tensor): (N,) int64, the categories of instances.
        owners (Sequence[int]): (K,) the category that each keypoint is of.

    Returns:
        Tensor: (N, K) bool.
    """
    return labels[:, None] == labels.new_tensor(list(owners))


def clear_other_keypoints(result: InstanceData, owners: Sequence[int]) -> InstanceData:
    """Set what is predicted of other categories' keypoints to 0, scores included.

    0 is also how COCO writes a keypoint that is not there.

    Args:
        result (InstanceData): ``labels`` (N,) and what the keypoint head predicts of N
            instances; changed. ``keypoint_logits`` stay.
        owners (Sequence[int]): (K,) the category that each keypoint is of.

    Returns:
        InstanceData: The same, with ``own_keypoints`` (N, K) bool.
    """
    result.own_keypoints = find_own_keypoints(result.labels, owners)
    return clear_fields(result)


def clear_fields(result: InstanceData) -> InstanceData:
    """Set what is predicted of keypoints outside of ``own_keypoints`` to 0.

    Args:
        result (InstanceData): Of N instances; changed. Without ``own_keypoints``, of a
            model of one skeleton, it stays as it is.

    Returns:
        InstanceData: The same.
    """
    own = result.get('own_keypoints')
    if own is None:
        return result
    for name in _OF_KEYPOINTS:
        values = result.get(name)
        if values is not None:
            shape = own.shape + (1,) * (values.dim() - own.dim())
            result.set_field(torch.where(own.view(shape), values, 0), name)
    return result
