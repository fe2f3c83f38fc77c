# Copyright (c) onestage_pose contributors.
"""How far a graph's people are from the model's."""

from onestage_pose.deployment.onnx_check import _distances

import numpy as np
from mmengine.structures import InstanceData


def two_people():
    """What the model predicts, and the same as a graph's outputs."""
    people = dict(
        bboxes=np.array([[0, 0, 9, 9], [50, 0, 59, 9]], np.float32),
        bbox_scores=np.array([0.0275, 0.0274], np.float32),
        keypoints=np.array([[[3, 4]], [[53, 4]]], np.float32),
        keypoint_scores=np.array([[0.2], [0.6]], np.float32),
    )
    graph = {name.replace('bbox_', ''): values for name, values in people.items()}
    return InstanceData(**people), graph


def test_people_of_nearly_equal_scores_may_change_places():
    expected, found = two_people()
    found = {name: values[::-1] for name, values in found.items()}

    *distances, close = _distances(expected, found)

    assert np.allclose(distances, 0) and close == 1


def test_a_person_elsewhere_is_seen():
    expected, found = two_people()
    found['bboxes'] = found['bboxes'] + [[0, 0, 0, 0], [0, 7, 0, 0]]

    boxes, *_ = _distances(expected, found)

    assert boxes == 7
