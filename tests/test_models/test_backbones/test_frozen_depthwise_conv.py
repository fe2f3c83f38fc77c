# Copyright (c) onestage_pose contributors.
from onestage_pose.models import FrozenDepthwiseConv2d

import pytest
import torch
from torch import nn


def conv_of(kernel, stride, padding, **options):
    return nn.Conv2d(
        6, 6, kernel, stride, padding, **{'groups': 6, 'bias': False, **options}
    )


def gradient(conv, x, dtype=None):
    x = x.clone().requires_grad_()
    with torch.autocast('cpu', dtype=dtype, enabled=dtype is not None):
        out = conv(x)
    # a gradient that differs from place to place
    (out.float() * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return out, x.grad


@pytest.mark.parametrize('size', [(12, 16), (13, 17), (7, 12)])
@pytest.mark.parametrize(
    'kernel, stride, padding',
    [(3, 1, 1), (5, 1, 2), (3, 2, 1), (5, 2, 2), (3, 3, 0), ((3, 5), (2, 1), (1, 2))],
)
def test_output_and_gradient_are_those_of_an_ordinary_convolution(
    kernel, stride, padding, size
):
    conv = conv_of(kernel, stride, padding)
    x = torch.randn(2, 6, *size)
    expected = gradient(conv, x)
    found = gradient(FrozenDepthwiseConv2d.from_conv(conv), x)
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_mixed_precision_is_as_near_as_torchs_own():
    conv = conv_of(3, 2, 1)
    x = torch.randn(2, 6, 12, 16)
    exact, grad = gradient(conv, x)
    out, rounded = gradient(FrozenDepthwiseConv2d.from_conv(conv), x, torch.bfloat16)
    assert out.dtype == torch.bfloat16 and rounded.dtype == torch.float32
    torch.testing.assert_close(out.float(), exact, rtol=0.02, atol=0.02)
    torch.testing.assert_close(rounded, grad, rtol=0.02, atol=0.02)


def test_weights_are_the_convs_and_do_not_learn():
    conv = conv_of(3, 1, 1)
    frozen = FrozenDepthwiseConv2d.from_conv(conv)
    assert frozen.weight is conv.weight and not frozen.weight.requires_grad
    assert list(frozen.state_dict()) == ['weight']


@pytest.mark.parametrize(
    'options',
    [
        dict(groups=1),
        dict(groups=3),
        dict(bias=True),
        dict(dilation=2),
        dict(padding_mode='reflect'),
    ],
)
def test_other_convolutions_are_left_alone(options):
    assert FrozenDepthwiseConv2d.can_replace(conv_of(3, 1, 1))
    assert not FrozenDepthwiseConv2d.can_replace(conv_of(3, 1, 1, **options))


def test_named_padding_and_subclasses_are_left_alone():
    class Padded(nn.Conv2d):
        pass

    assert not FrozenDepthwiseConv2d.can_replace(conv_of(3, 1, 'same'))
    assert not FrozenDepthwiseConv2d.can_replace(Padded(6, 6, 3, groups=6, bias=False))
