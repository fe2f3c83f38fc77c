# Copyright (c) onestage_pose contributors.
"""Keypoints of other categories are neither given nor counted."""

from onestage_pose.models.utils.own_keypoints import (
    clear_fields,
    clear_other_keypoints,
)
from onestage_pose.models.utils.pose_nms import pose_nms
from onestage_pose.models.utils.postprocessing import rescore

import pytest
import torch
from mmengine.structures import InstanceData

OWNERS = [0, 0, 1]


def make_result(**changes):
    """Three instances at one place, of labels 0, 1 and 0."""
    values = dict(
        labels=torch.tensor([0, 1, 0]),
        scores=torch.tensor([0.9, 0.8, 0.7]),
        keypoints=torch.tensor([[[1.0, 1.0], [9.0, 9.0], [5.0, 5.0]]] * 3),
        keypoint_scores=torch.tensor([[0.5, 0.7, 0.2]] * 3),
    )
    return InstanceData(**{**values, **changes})


def test_what_is_predicted_of_others_is_0():
    result = clear_other_keypoints(make_result(), OWNERS)

    assert result.own_keypoints.int().tolist() == [[1, 1, 0], [0, 0, 1], [1, 1, 0]]
    assert result.keypoints[:2].tolist() == [
        [[1, 1], [9, 9], [0, 0]],
        [[0, 0], [0, 0], [5, 5]],
    ]
    assert result.keypoint_scores[1].tolist() == pytest.approx([0, 0, 0.2])


def test_covariances_too():
    result = clear_other_keypoints(make_result(), OWNERS)
    result.keypoint_covariances = torch.ones(3, 3, 2, 2)

    sums = clear_fields(result).keypoint_covariances.sum((2, 3))

    assert sums.tolist() == [[4, 4, 0], [0, 0, 4], [4, 4, 0]]


def test_one_skeleton_stays_as_it_is():
    given = make_result()

    assert torch.equal(clear_fields(given).keypoints, make_result().keypoints)


@pytest.mark.parametrize('thr', [0.0, -1.0])
def test_scores_are_those_of_an_instances_own_keypoints(thr):
    [result] = rescore([clear_other_keypoints(make_result(), OWNERS)], thr)

    assert result.scores.tolist() == pytest.approx([0.54, 0.42, 0.16])


@pytest.mark.parametrize(
    ('kind', 'scores'),
    [('oks_nms', [0.9, 0.8]), ('soft_oks_nms', [0.9, 0.8, 0.7 * 2.718281828**-2])],
)
def test_poses_are_suppressed_by_others_of_their_category_alone(kind, scores):
    result = clear_other_keypoints(make_result(), OWNERS)

    left = pose_nms(result, kind, 0.5, sigmas=[0.1, 0.1, 0.1])

    assert left.scores.tolist() == pytest.approx(scores)


def test_a_category_is_suppressed_by_its_own_sigmas():
    # 1 pixel apart: the same by the first sigmas, not by the second ones
    keypoints = make_result().keypoints.clone()
    keypoints[2] += 1
    result = clear_other_keypoints(make_result(keypoints=keypoints), OWNERS)

    def left(sigma):
        return len(pose_nms(result[:], 'oks_nms', 0.5, [sigma, sigma, 0.1]))

    assert (left(0.5), left(0.01)) == (2, 3)
