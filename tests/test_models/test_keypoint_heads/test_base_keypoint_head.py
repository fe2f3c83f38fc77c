# Copyright (c) onestage_pose contributors.
from onestage_pose.models import BaseKeypointHead

import pytest
import torch
import torch.nn.functional as F
from torch import nn


class PlainHead(BaseKeypointHead):
    def __init__(self, num_keypoints=5, init_cfg=None):
        super().__init__(6, num_keypoints, init_cfg)
        self.trunk = nn.Sequential(nn.Conv2d(3, 6, 1), nn.BatchNorm2d(6))


@pytest.mark.parametrize('num_people', [0, 1, 4])
@pytest.mark.parametrize('num_keypoints', [1, 5, 17, 133])
def test_logits_are_four_times_as_fine_as_the_features(num_people, num_keypoints):
    head = PlainHead(num_keypoints).train()
    output = head(torch.randn(num_people, 3, 14, 9))
    assert output.logits.shape == (num_people, num_keypoints, 56, 36)


def test_upsampling_is_a_transposed_conv_and_bilinear():
    head = PlainHead().eval()
    x = torch.randn(2, 3, 14, 14)
    coarse = F.conv_transpose2d(
        head.trunk(x), head.deconv.weight, head.deconv.bias, stride=2, padding=1
    )
    expected = F.interpolate(coarse, (56, 56), mode='bilinear', align_corners=False)
    torch.testing.assert_close(head(x).logits, expected)


def test_nobody_leaves_the_norms_statistics_alone():
    head = PlainHead().train()
    head(torch.zeros(0, 3, 14, 14))
    assert head.trunk[1].num_batches_tracked == 0


def test_init_cfg_replaces_the_default():
    head = PlainHead(init_cfg=dict(type='Constant', val=2.0, layer='ConvTranspose2d'))
    head.init_weights()
    assert (head.deconv.weight == 2).all()
