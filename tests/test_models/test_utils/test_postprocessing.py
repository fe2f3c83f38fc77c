# Copyright (c) onestage_pose contributors.
from onestage_pose.models.utils.postprocessing import (
    mean_confident_score,
    pack_instances,
    pack_together,
    rescore,
)

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData


def test_mean_of_the_scores_above_the_threshold():
    scores = torch.tensor([[0.3, 0.2, 0.5], [0.1, 0.0, 0.2]])
    assert mean_confident_score(scores, 0.2).tolist() == pytest.approx([0.4, 0.0])


@pytest.mark.parametrize('num_classes', [1, 2])
def test_labels_are_given_where_they_tell_something(num_classes):
    result = InstanceData(
        bboxes=torch.zeros(1, 4),
        scores=torch.ones(1),
        labels=torch.zeros(1, dtype=torch.long),
        keypoints=torch.zeros(1, 17, 2),
        keypoint_scores=torch.ones(1, 17),
    )
    packed = pack_instances(result, num_classes)
    assert ('labels' in packed) == (num_classes > 1)
    assert isinstance(packed.keypoints, np.ndarray)


def people(*scores):
    """Of one image, with the keypoint scores 0.2 and 0.8 in turn."""
    number = len(scores)
    keypoint_scores = torch.tensor([0.2, 0.8]).repeat(number)[:number, None]
    return InstanceData(
        bboxes=torch.rand(number, 4),
        scores=torch.tensor(scores),
        labels=torch.zeros(number, dtype=torch.long),
        keypoints=torch.rand(number, 17, 2),
        keypoint_scores=keypoint_scores.expand(-1, 17),
    )


IMAGES = [people(0.9, 0.5, 0.1), people(), people(0.3, 0.2)]


def test_rescored_people_stay_in_their_image_and_are_sorted_there():
    found = rescore(IMAGES, 0.0)
    assert [each.scores.tolist() for each in found] == [
        pytest.approx([0.4, 0.18, 0.02]),
        [],
        pytest.approx([0.16, 0.06]),
    ]
    assert torch.equal(found[2].bboxes, IMAGES[2].bboxes[[1, 0]])


def test_people_of_several_images_are_packed_as_those_of_each():
    for packed, image in zip(pack_together(IMAGES, 1), IMAGES):
        expected = pack_instances(image, 1)
        assert packed.keys() == expected.keys()
        for name in expected.keys():
            np.testing.assert_array_equal(packed.get(name), expected.get(name))
