# Copyright (c) onestage_pose contributors.
from onestage_pose.models import GCMKeypointHead, GlobalContextModule

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn


def small_head(**options):
    options = dict(num_convs=1, in_channels=4, conv_out_channels=8) | options
    return GCMKeypointHead(**options)


def test_layers_are_those_of_the_paper():
    head = MODELS.build(dict(type='mmdet.GCMKeypointHead'))
    kinds = [
        'gcm' if isinstance(layer, GlobalContextModule) else layer.conv.kernel_size
        for layer in head.trunk
    ]
    assert kinds == [(1, 1)] + 2 * (['gcm'] + 4 * [(3, 3)])


@pytest.mark.parametrize('num_people', [0, 1, 3])
@pytest.mark.parametrize('num_keypoints', [1, 14, 17])
def test_shapes_in_training(num_people, num_keypoints):
    head = small_head(num_keypoints=num_keypoints).train()
    logits = head(torch.randn(num_people, 4, 14, 14)).logits
    assert logits.shape == (num_people, num_keypoints, 56, 56)


def test_roi_features_need_not_be_square():
    head = small_head(roi_feat_size=(6, 10))
    assert head(torch.randn(2, 4, 6, 10)).logits.shape == (2, 17, 24, 40)


def test_context_reaches_across_the_whole_map():
    head = small_head().eval()
    x = torch.randn(1, 4, 14, 14, requires_grad=True)
    head(x).logits[..., 0, 0].sum().backward()
    assert x.grad[..., -1, -1].any()


def test_gradient_reaches_every_parameter():
    head = small_head()
    head.init_weights()
    head(torch.randn(3, 4, 14, 14)).logits.square().sum().backward()
    assert all(parameter.grad.any() for parameter in head.parameters())


def test_initialisation():
    head = small_head(conv_out_channels=64)
    head.init_weights()
    norms = [m for m in head.modules() if isinstance(m, nn.BatchNorm2d)]
    weights = torch.cat([norm.weight for norm in norms])
    assert weights.min() >= 0 and weights.max() <= 1
    assert weights.std().item() == pytest.approx(12**-0.5, rel=0.2)
    for name, parameter in head.named_parameters():
        if name.endswith('bias'):
            assert not parameter.any(), name


def test_norm_can_be_chosen():
    head = small_head(norm_cfg=dict(type='GN', num_groups=2))
    kinds = {type(layer.norm1) for layer in head.trunk if hasattr(layer, 'norm1')}
    assert kinds == {nn.GroupNorm}


@pytest.mark.parametrize(
    'kind, synchronised', [('BN', [False] * 4), ('SyncBN', [True] * 4)]
)
def test_norm_is_each_processs_own_unless_told(kind, synchronised):
    head = small_head(norm_cfg=dict(type=kind))
    norms = [
        m for m in head.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
    ]
    assert [isinstance(norm, nn.SyncBatchNorm) for norm in norms] == synchronised


def test_the_convolutions_may_be_normalised_too():
    head = small_head(num_stages=1, conv_norm_cfg=dict(type='BN'))
    kinds = [type(layer.bn) for layer in (head.trunk[0], head.trunk[2])]
    assert kinds == [nn.BatchNorm2d] * 2
    assert not any(hasattr(layer, 'bn') for layer in small_head().trunk)
