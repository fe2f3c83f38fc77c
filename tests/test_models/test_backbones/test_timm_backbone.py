# Copyright (c) onestage_pose contributors.
import sys

from onestage_pose.models import FrozenDepthwiseConv2d, TimmBackbone

import pytest
import torch
from torch import nn

timm = pytest.importorskip('timm', reason='timm is not installed (pip install timm)')

LITE = 'efficientnet_lite0'


def test_gives_the_maps_it_says_it_gives():
    backbone = TimmBackbone(LITE).eval()
    maps = backbone(torch.randn(2, 3, 64, 96))
    assert backbone.strides == [4, 8, 16, 32]
    for level, channels, stride in zip(maps, backbone.channels, backbone.strides):
        assert level.shape == (2, channels, 64 // stride, 96 // stride)


def test_maps_are_timms_own():
    torch.manual_seed(0)
    backbone = TimmBackbone(LITE, out_indices=(2, 4)).eval()
    other = timm.create_model(LITE, features_only=True, out_indices=(2, 4)).eval()
    other.load_state_dict(backbone.timm_model.state_dict())
    x = torch.randn(1, 3, 64, 64)
    for one, expected in zip(backbone(x), other(x)):
        torch.testing.assert_close(one, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('name', ['resnet18', 'mobilenetv3_small_050', LITE])
def test_frozen_stages_do_not_learn_and_the_others_do(name):
    backbone = TimmBackbone(name, frozen_stages=1)
    info = backbone.timm_model.feature_info.info
    sum(level.mean() for level in backbone(torch.randn(2, 3, 64, 64))).backward()
    learns = {
        parameter: value.grad is not None
        for parameter, value in backbone.timm_model.named_parameters()
    }
    last_frozen = info[1]['module'].replace('.', '_')
    flat = {key.replace('.', '_'): value for key, value in learns.items()}
    belonging = [flat[key] for key in flat if key.startswith(f'{last_frozen}_')]
    assert belonging and not any(belonging)
    order = list(learns.values())
    # frozen ones first, then those that learn
    assert order == sorted(order) and any(order)


def test_by_default_everything_learns():
    assert all(p.requires_grad for p in TimmBackbone(LITE).parameters())


def test_frozen_depthwise_weights_keep_their_names_and_the_rest_learns():
    frozen = TimmBackbone(LITE, freeze_depthwise=True)
    plain = TimmBackbone(LITE)
    assert list(frozen.state_dict()) == list(plain.state_dict())
    kinds = {type(m) for m in frozen.modules() if isinstance(m, nn.Conv2d)}
    assert FrozenDepthwiseConv2d in kinds
    for name, parameter in frozen.named_parameters():
        assert parameter.requires_grad != ('conv_dw' in name)


def test_predicts_in_float32_under_mixed_precision_and_learns_in_it():
    torch.manual_seed(0)
    backbone = TimmBackbone(LITE, predict_in_float32=True).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = backbone(x)
        with torch.autocast('cpu', torch.bfloat16):
            made = backbone(x)
    assert all(map(torch.equal, made, expected))
    with torch.autocast('cpu', torch.bfloat16):
        assert {level.dtype for level in backbone(x)} == {torch.bfloat16}


def test_statistics_of_frozen_stages_are_kept_and_the_others_move():
    backbone = TimmBackbone('resnet18', frozen_stages=1).train()
    before = {k: v.clone() for k, v in backbone.named_buffers() if k.endswith('mean')}
    backbone(torch.randn(2, 3, 64, 64))
    moved = {k for k in before if not torch.equal(before[k], backbone.get_buffer(k))}
    assert moved and not any('.bn1.' in k and 'layer' not in k for k in moved)
    assert all(k.split('.')[1] in ('layer2', 'layer3', 'layer4') for k in moved)


@pytest.mark.parametrize('norm_eval', [True, False])
def test_norm_eval_keeps_statistics_in_training(norm_eval):
    backbone = TimmBackbone(LITE, norm_eval=norm_eval).train()
    before = backbone.timm_model.bn1.running_mean.clone()
    backbone(torch.randn(2, 3, 64, 64))
    kept = torch.equal(before, backbone.timm_model.bn1.running_mean)
    assert kept == norm_eval
    assert backbone.timm_model.bn1.weight.requires_grad != norm_eval
    assert backbone.timm_model.blocks[1][0].training


def test_weights_come_from_a_file_of_timms(tmp_path):
    file = tmp_path / 'weights.pth'
    # with a classifier, which features do not have
    torch.save(timm.create_model(LITE).state_dict(), file)
    backbone = TimmBackbone(
        LITE, init_cfg=dict(type='Pretrained', checkpoint=str(file))
    )
    backbone.init_weights()
    saved = torch.load(file, weights_only=True)
    for name, value in backbone.timm_model.state_dict().items():
        assert torch.equal(value, saved[name]), name


def test_with_a_prefix_weights_come_from_a_whole_detector(tmp_path):
    file = tmp_path / 'detector.pth'
    weights = TimmBackbone(LITE).state_dict()
    torch.save({f'backbone.{name}': value for name, value in weights.items()}, file)
    backbone = TimmBackbone(
        LITE,
        init_cfg=dict(type='Pretrained', checkpoint=str(file), prefix='backbone'),
    )
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_a_missing_weights_file_is_named_with_the_remedy(tmp_path):
    backbone = TimmBackbone(
        LITE, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'no.pth'))
    )
    with pytest.raises(FileNotFoundError, match=r'no\.pth.*model.backbone.init_cfg'):
        backbone.init_weights()


def test_without_timm_the_error_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(ImportError, match='pip install timm'):
        TimmBackbone(LITE)


def test_an_unknown_model_is_refused_with_those_spelt_alike():
    with pytest.raises(ValueError, match='efficientnet_lite9.*efficientnet_b0'):
        TimmBackbone('efficientnet_lite9')


def test_maps_the_model_does_not_have_are_refused():
    with pytest.raises(ValueError, match=r'out_indices=\(1, 9\)'):
        TimmBackbone(LITE, out_indices=(1, 9))


def test_maps_whose_channels_come_last_in_timm_come_second():
    backbone = TimmBackbone('mambaout_femto', out_indices=(0, 1))
    assert str(backbone.timm_model.output_fmt).endswith('NHWC')
    for level, channels, stride in zip(
        backbone(torch.zeros(1, 3, 64, 96)), backbone.channels, backbone.strides
    ):
        assert level.shape == (1, channels, 64 // stride, 96 // stride)


def test_stem_alone_can_be_frozen():
    # timm names its last layer, which is an activation
    backbone = TimmBackbone('resnet18', frozen_stages=0)
    frozen = {n for n, p in backbone.named_parameters() if not p.requires_grad}
    assert frozen == {
        f'timm_model.{name}' for name in ('conv1.weight', 'bn1.weight', 'bn1.bias')
    }


def test_freezing_what_timm_does_not_tell_apart_is_refused():
    with pytest.raises(ValueError, match=r"where 'stem' .* frozen_stages=-1"):
        TimmBackbone('hrnet_w18_small', frozen_stages=0)
