# Copyright (c) onestage_pose contributors.
from onestage_pose.models.utils.postprocessing import (
    mean_confident_score,
    pack_instances,
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
