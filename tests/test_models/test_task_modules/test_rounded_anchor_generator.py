# Copyright (c) onestage_pose contributors.
"""Anchors are those of torchvision, whatever the size of the image."""

from onestage_pose.models.task_modules import RoundedAnchorGenerator

import pytest
import torch
from torchvision.models.detection.faster_rcnn import _default_anchorgen
from torchvision.models.detection.image_list import ImageList

STRIDES = [4, 8, 16, 32, 64]


# The coarsest map is of half an odd side, rounded up: its anchors are less apart.
@pytest.mark.parametrize('size', [(256, 320), (224, 288), (800, 1344)])
def test_are_those_of_torchvision(size):
    height, width = size
    maps = [(height // s, width // s) for s in STRIDES[:4]]
    maps.append(((maps[3][0] + 1) // 2, (maps[3][1] + 1) // 2))
    images = ImageList(torch.empty(1, 3, 1, 1).expand(1, 3, *size), [size])
    features = [torch.empty(1, 1, 1, 1).expand(1, 1, *each) for each in maps]
    (expected,) = _default_anchorgen()(images, features)

    generator = RoundedAnchorGenerator(STRIDES, ratios=[0.5, 1.0, 2.0], scales=[8])
    anchors = torch.cat(generator.grid_priors(maps, device='cpu'))

    assert torch.equal(anchors, expected)


def test_leaves_its_own_strides_as_they_are():
    generator = RoundedAnchorGenerator(STRIDES, ratios=[1.0], scales=[8])

    generator.grid_priors([(56, 72), (28, 36), (14, 18), (7, 9), (4, 5)], device='cpu')

    assert generator.strides == [(s, s) for s in STRIDES]
