# Copyright (c) onestage_pose contributors.
from onestage_pose.models.utils.incomplete_annotations import (
    completely_annotated,
    zero_loss,
)

import torch
from torch import nn

from tests.model_factory import make_sample


def test_images_that_train_the_keypoint_branch_alone_are_left_out():
    samples = [make_sample((8, 8)) for _ in range(3)]
    samples[1].set_metainfo(dict(keypoints_only=True))
    assert completely_annotated(samples) == [0, 2]


def test_zero_loss_reaches_every_parameter_and_map():
    module, feature = nn.Linear(2, 3), torch.ones(1, 2, requires_grad=True)
    loss = zero_loss(module, (feature,))
    loss.backward()
    assert loss == 0 and feature.grad is not None
    assert all(parameter.grad is not None for parameter in module.parameters())
