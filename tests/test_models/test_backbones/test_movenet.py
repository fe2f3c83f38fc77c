# Copyright (c) onestage_pose contributors.
import sys

from onestage_pose.models import MoveNet
from onestage_pose.models.backbones.movenet import SamePadConv2d, round_channels

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def make_image(*size):
    return torch.rand(1, 3, *size) * 2 - 1


def learning(model):
    return {name for name, value in model.named_parameters() if value.requires_grad}


@pytest.mark.parametrize('pose_maps', [False, True])
@pytest.mark.parametrize('arch', sorted(MoveNet.WIDTHS))
def test_gives_the_maps_it_says_it_gives(arch, pose_maps):
    backbone = MoveNet(arch, pose_maps=pose_maps, norm_outputs=True).eval()
    with torch.no_grad():
        maps = backbone(make_image(64, 96))
    for level, channels, stride in zip(maps, backbone.channels, backbone.strides):
        assert level.shape == (1, channels, 64 // stride, 96 // stride)


def test_widths_are_mobilenets():
    assert MoveNet('lightning').channels == [24, 32, 96, 320]
    assert MoveNet('multipose').channels == [40, 48, 144, 480]
    assert MoveNet('thunder').channels == [40, 56, 168, 560]


@pytest.mark.parametrize(
    ('channels', 'rounded'), [(24, 24), (36, 40), (42, 40), (10, 16)]
)
def test_channels_are_rounded_by_at_most_a_tenth_less(channels, rounded):
    assert round_channels(channels) == rounded


def test_by_default_the_widest_layer_is_left_out():
    assert not any('wide' in name for name, _ in MoveNet().named_parameters())


@pytest.mark.parametrize('size', [8, 9])
def test_padding_is_tensorflows(size):
    conv = SamePadConv2d(1, 1, 3, 2, bias=False)
    nn.init.ones_(conv.weight)
    x = torch.arange(float(size)).expand(1, 1, size, size)
    # an even size gets a row and column at the end, an odd one at both ends
    start = size % 2
    padded = F.pad(x, (start, 1, start, 1))
    expected = 9 * F.avg_pool2d(padded, 3, 2)
    torch.testing.assert_close(conv(x), expected)


def test_any_size_goes_without_pose_maps():
    maps = MoveNet().eval()(make_image(50, 71))
    assert [tuple(each.shape[-2:]) for each in maps] == [
        (13, 18),
        (7, 9),
        (4, 5),
        (2, 3),
    ]


@pytest.mark.parametrize(
    ('stages', 'first'),
    [(0, 'blocks.1.'), (1, 'blocks.3.'), (3, 'blocks.13.'), (4, 'wide.'), (5, None)],
)
def test_frozen_stages_do_not_learn_and_the_others_do(stages, first):
    backbone = MoveNet('lightning', frozen_stages=stages, pose_maps=True)
    names = [name for name, _ in backbone.named_parameters()]
    ends = len(names)
    if first is not None:
        ends = next(i for i, name in enumerate(names) if name.startswith(first))
    assert learning(backbone) == set(names[ends:])


def test_gradients_pass_through_what_does_not_learn():
    backbone = MoveNet(frozen_stages=3, pose_maps=True)
    sum(level.sum() for level in backbone(make_image(64, 64))).backward()
    for name, value in backbone.named_parameters():
        assert (value.grad is not None) == value.requires_grad, name


def test_by_default_everything_learns():
    backbone = MoveNet(pose_maps=True)
    assert learning(backbone) == {name for name, _ in backbone.named_parameters()}


def test_pose_maps_are_the_same_at_every_stride():
    backbone = MoveNet('multipose', pose_maps=True).eval()
    plain = MoveNet('multipose').channels
    with torch.no_grad():
        first, *others = (
            level[:, channels:]
            for level, channels in zip(backbone(make_image(64, 64)), plain)
        )
    for i, level in enumerate(others, 1):
        torch.testing.assert_close(level, F.avg_pool2d(first, 2**i))


def test_outputs_are_normalised_per_channel():
    backbone = MoveNet(norm_outputs=True).train()
    with torch.no_grad():
        for level in backbone(make_image(128, 128)):
            assert level.mean((0, 2, 3)).abs().max() < 1e-3


@pytest.mark.parametrize(
    'options', [dict(arch='storm'), dict(frozen_stages=6), dict(frozen_stages=1.5)]
)
def test_what_there_is_not_is_refused(options):
    with pytest.raises(ValueError, match=str(next(iter(options)))):
        MoveNet(**options)


def test_a_missing_weights_file_is_named_with_the_remedy(tmp_path):
    backbone = MoveNet(
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'no.pth'))
    )
    with pytest.raises(FileNotFoundError, match=r'no\.pth.*movenet_to_onestage'):
        backbone.init_weights()


def our_name(name):
    """Of a weight of the other port."""
    part, name = name.split('.', 1)
    if part == 'heads':
        name = name.replace('.conv.', '.0.').replace('.out.', '.1.')
    prefix = dict(backbone='', fpn='pose.', heads='pose.heads.')[part]
    return prefix + name.replace('last.', 'wide.')


@pytest.mark.parametrize('arch', sorted(MoveNet.WIDTHS))
def test_features_are_those_of_an_independent_port(
    arch, shared_dir, tmp_path, monkeypatch
):
    """Both read the same published weights; the other was checked against tfjs."""
    monkeypatch.syspath_prepend(shared_dir / 'weights')
    port = pytest.importorskip('movenet', reason='shared weights/movenet.py is missing')
    path = shared_dir / 'weights' / f'movenet_{arch}.safetensors'
    renamed = {
        our_name(name): value for name, value in port.read_safetensors(path).items()
    }
    torch.save(renamed, tmp_path / 'weights.pth')
    backbone = MoveNet(
        arch,
        pose_maps=True,
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth')),
    ).eval()
    backbone.init_weights()
    other = port.MoveNet.load(path)
    sys.modules.pop('movenet')
    x = make_image(96, 128)
    with torch.no_grad():
        found, features = backbone(x), other.backbone(x)
        fused = other.fpn(features)
        heads = other.heads(fused)
    names = ('s4', 's8', 's16_deep', 's32')
    for level, name in zip(found, names):
        expected = features[name]
        torch.testing.assert_close(
            level[:, : expected.shape[1]], expected, rtol=1e-4, atol=2e-4
        )
    pose = torch.cat([fused, *(heads[name] for name in backbone.pose.heads)], 1)
    torch.testing.assert_close(
        found[0][:, features['s4'].shape[1] :], pose, rtol=1e-4, atol=2e-3
    )
