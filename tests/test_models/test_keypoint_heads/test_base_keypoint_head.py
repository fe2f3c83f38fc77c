# Copyright (c) onestage_pose contributors.
from onestage_pose.models import (
    BaseKeypointHead,
    ConvKeypointHead,
    GaussianCrossEntropyLoss,
)
from onestage_pose.models.roi_heads.keypoint_branch import merge_head_options
from onestage_pose.utils.errors import ConfigValueError

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import nn

from tests.model_factory import build, tiny_config


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


class TestCodecAndLoss:
    """The head owns them; the RoI head's former options are read too."""

    GAUSSIAN = dict(type='GaussianCrossEntropyLoss', sigma=1.0)

    def test_both_are_given_to_the_head(self):
        head = ConvKeypointHead(
            codec=dict(type='RoIHeatmap', decode_mode='dark'),
            loss_keypoint=self.GAUSSIAN,
        )
        assert head.codec.decode_mode == 'dark'
        assert isinstance(head.loss_keypoint, GaussianCrossEntropyLoss)

    @pytest.mark.parametrize('place', ['roi_head', 'roi_head.keypoint_head'])
    def test_either_place_in_a_config_serves(self, place):
        place = place.replace('.', '__')
        options = {
            f'{place}__codec': dict(type='RoIHeatmap', decode_mode='quarter'),
            f'{place}__loss_keypoint': self.GAUSSIAN,
        }
        cfg = tiny_config()
        cfg.roi_head.pop('codec')
        merged = Config(dict(model=cfg))
        merged.merge_from_dict(
            {f'model.{key.replace("__", ".")}': value for key, value in options.items()}
        )
        head = build(merged.model).roi_head
        assert head.codec is head.keypoint_head.codec
        assert head.codec.decode_mode == 'quarter'
        assert isinstance(head.keypoint_head.loss_keypoint, GaussianCrossEntropyLoss)

    @pytest.mark.parametrize(
        ('name', 'former', 'own'),
        [
            ('codec', dict(score_mode='peak'), dict(score_mode='window')),
            ('loss_keypoint', dict(loss_weight=1.0), dict(loss_weight=2.0)),
        ],
    )
    def test_a_difference_between_the_places_is_refused(self, name, former, own):
        options = {name: former}
        head = dict(type='ConvKeypointHead', **{name: own})
        with pytest.raises(ConfigValueError, match=rf'roi_head.{name}.*differs'):
            merge_head_options(
                head, options.get('codec'), options.get('loss_keypoint'), 1.0
            )

    def test_the_area_ratio_follows_from_the_box_scale(self):
        head = merge_head_options(dict(type='ConvKeypointHead'), None, None, 1.3)
        assert head['codec']['area_ratio'] == 0.53 / 1.3**2

    def test_an_area_ratio_that_is_given_stays(self):
        head = merge_head_options(dict(), dict(area_ratio=0.4), None, 1.3)
        assert head['codec']['area_ratio'] == 0.4

    def test_the_weights_keep_their_names(self):
        names = [name for name in ConvKeypointHead(num_convs=1).state_dict()]
        assert names == [
            'deconv.weight',
            'deconv.bias',
            'trunk.0.conv.weight',
            'trunk.0.conv.bias',
        ]
