# Copyright (c) onestage_pose contributors.
from onestage_pose.models import ConvKeypointHead

import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import nn


def test_is_eight_convs_of_512_by_default():
    head = MODELS.build(dict(type='mmdet.ConvKeypointHead'))
    convs = [m for m in head.trunk.modules() if isinstance(m, nn.Conv2d)]
    widths = [(conv.in_channels, conv.out_channels) for conv in convs]
    assert widths == [(256, 512)] + [(512, 512)] * 7


def test_trunk_is_convs_with_relu():
    head = ConvKeypointHead(num_convs=3, in_channels=4, conv_out_channels=6)
    x = torch.randn(2, 4, 7, 9)
    expected = x
    for layer in head.trunk:
        conv = layer.conv
        expected = F.relu(F.conv2d(expected, conv.weight, conv.bias, padding=1))
    torch.testing.assert_close(head.trunk(x), expected)


@pytest.mark.parametrize('num_people', [0, 1, 3])
@pytest.mark.parametrize('num_keypoints', [1, 14, 17])
def test_shapes_in_training(num_people, num_keypoints):
    head = ConvKeypointHead(2, 4, 6, num_keypoints).train()
    logits = head(torch.randn(num_people, 4, 14, 14)).logits
    assert logits.shape == (num_people, num_keypoints, 56, 56)


def test_initialisation():
    head = ConvKeypointHead(2, 32, 64)
    head.init_weights()
    for name, parameter in head.named_parameters():
        if name.endswith('bias'):
            assert not parameter.any(), name
    spread = [layer.conv.weight.std().item() for layer in head.trunk]
    assert spread == pytest.approx([(2 / (64 * 9)) ** 0.5] * 2, rel=0.05)


def test_the_convolutions_may_be_normalised():
    head = ConvKeypointHead(2, 4, 8, norm_cfg=dict(type='BN'))
    assert all(isinstance(layer.bn, nn.BatchNorm2d) for layer in head.trunk)
