# Copyright (c) onestage_pose contributors.
from onestage_pose.models import RoIFeatureExtractor
from onestage_pose.utils.errors import ConfigValueError

import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import RoIAlign
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

HEIGHT, WIDTH = 24, 32  # of P2; the picture is 96 x 128


def extractor(strides=(4,), **options):
    return RoIFeatureExtractor(
        roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0),
        out_channels=3,
        featmap_strides=list(strides),
        **options,
    )


def pool_with_ring(feature, rois, stride=4, ring=16):
    """Plain RoIAlign on the map in a broad frame of zeros."""
    layer = RoIAlign(output_size=7, spatial_scale=1 / stride, sampling_ratio=0)
    shift = rois.new_tensor([0, 1, 1, 1, 1]) * ring * stride
    return layer(F.pad(feature, (ring,) * 4), rois + shift)


@pytest.fixture
def p2():
    # far from zero: the border must be seen
    return torch.rand(2, 3, HEIGHT, WIDTH) + 5


INSIDE = (0, 30.0, 20.0, 70.0, 60.0)
LEAVING = dict(
    left=(0, -20.0, 20.0, 30.0, 60.0),
    top=(1, 30.0, -13.3, 70.0, 40.0),
    right=(0, 100.0, 20.0, 141.7, 60.0),
    bottom=(1, 30.0, 50.0, 70.0, 130.0),
)
EVERYWHERE = (1, -40.0, -30.0, 170.0, 120.0)
AT_EDGE = dict(
    left=(0, 0.0, 20.0, 30.0, 60.0),
    top=(0, 30.0, 0.0, 70.0, 40.0),
    right=(0, 98.0, 20.0, 128.0, 60.0),
    bottom=(0, 30.0, 50.0, 70.0, 96.0),
)


class TestZeroExtension:
    @pytest.mark.parametrize('side', LEAVING)
    def test_equals_pooling_from_a_map_framed_by_zeros(self, p2, side):
        rois = torch.tensor([LEAVING[side], INSIDE])
        pooled = extractor(zero_extend=True)((p2,), rois)
        expected = pool_with_ring(p2, rois)
        torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-4)

    def test_holds_for_all_four_sides_at_once(self, p2):
        rois = torch.tensor([*LEAVING.values(), EVERYWHERE, INSIDE])
        pooled = extractor(zero_extend=True)((p2,), rois)
        expected = pool_with_ring(p2, rois)
        torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-4)

    def test_differs_from_plain_roi_align(self, p2):
        rois = torch.tensor([LEAVING['left']])
        extended = extractor(zero_extend=True)((p2,), rois)
        plain = extractor(zero_extend=False)((p2,), rois)
        assert (extended - plain).abs().max() > 1

    @pytest.mark.parametrize('side', LEAVING)
    def test_a_side_that_no_box_leaves_is_not_extended(self, p2, side):
        others = [box for name, box in LEAVING.items() if name != side]
        rois = torch.tensor([AT_EDGE[side], *others])
        extended = extractor(zero_extend=True)((p2,), rois)
        plain = extractor(zero_extend=False)((p2,), rois)
        torch.testing.assert_close(extended[0], plain[0], rtol=0, atol=1e-4)

    @pytest.mark.parametrize('side', LEAVING)
    def test_a_side_is_extended_for_every_box_of_the_batch(self, p2, side):
        rois = torch.tensor([AT_EDGE[side], LEAVING[side]])
        extended = extractor(zero_extend=True)((p2,), rois)
        plain = extractor(zero_extend=False)((p2,), rois)
        assert (extended[0] - plain[0]).abs().max() > 0.1

    def test_boxes_inside_are_pooled_as_ever(self, p2):
        rois = torch.tensor([INSIDE])
        extended = extractor(zero_extend=True)((p2,), rois)
        assert torch.equal(extended, extractor()((p2,), rois))

    def test_a_box_beside_the_map_gives_zeros(self, p2):
        rois = torch.tensor([[0, 300.0, 300.0, 340.0, 340.0]])
        assert not extractor(zero_extend=True)((p2,), rois).any()

    def test_each_level_is_extended_at_its_own_stride(self, p2):
        p3 = torch.rand(2, 3, HEIGHT // 2, WIDTH // 2) + 5
        large, small = (0, -60.0, -50.0, 120.0, 90.0), LEAVING['left']
        rois = torch.tensor([large, small])
        pooled = extractor((4, 8), zero_extend=True)((p2, p3), rois)
        expected = torch.cat(
            (pool_with_ring(p3, rois[:1], stride=8), pool_with_ring(p2, rois[1:]))
        )
        torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-4)

    def test_gradient_reaches_the_map(self, p2):
        p2.requires_grad_()
        pooled = extractor(zero_extend=True)((p2,), torch.tensor([LEAVING['left']]))
        pooled.sum().backward()
        assert p2.grad[0, :, 5:15, :7].min() > 0 and not p2.grad[1].any()

    def test_needs_roi_align(self):
        with pytest.raises(ValueError, match="zero_extend=True.*'RoIPool'"):
            RoIFeatureExtractor(
                dict(type='RoIPool', output_size=7), 3, [4], zero_extend=True
            )


def test_without_extension_it_is_mmdets_extractor(p2):
    p3 = torch.rand(2, 3, HEIGHT // 2, WIDTH // 2)
    rois = torch.tensor([INSIDE, EVERYWHERE])
    theirs = SingleRoIExtractor(
        dict(type='RoIAlign', output_size=7, sampling_ratio=0), 3, [4, 8]
    )
    ours = extractor((4, 8))
    assert torch.equal(ours((p2, p3), rois), theirs((p2, p3), rois))


@pytest.mark.parametrize('zero_extend', [False, True])
@pytest.mark.parametrize('autocast', [False, True])
def test_bfloat16_features_leave_the_boxes_exact(zero_extend, autocast):
    # a ramp shows where a box lies; bfloat16 would put 1001.3 at 1000
    ramp = torch.arange(320.0).expand(1, 3, 8, 320)
    rois = torch.tensor([[0, 1001.3, 5.0, 1015.7, 20.0], [0, -9.0, 5.0, 9.0, 20.0]])
    pool = extractor(zero_extend=zero_extend)
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=autocast):
        pooled = pool((ramp.bfloat16(),), rois)
    expected = pool((ramp.bfloat16().float(),), rois)
    assert pooled.dtype == torch.float32 and torch.equal(pooled, expected)


@pytest.mark.parametrize('strides', [(4,), (4, 8)])
@pytest.mark.parametrize('zero_extend', [False, True])
def test_no_boxes(p2, strides, zero_extend):
    features = (p2, torch.rand(2, 3, HEIGHT // 2, WIDTH // 2))[: len(strides)]
    pooled = extractor(strides, zero_extend=zero_extend)(features, torch.zeros(0, 5))
    assert pooled.shape == (0, 3, 7, 7)


class TestLevels:
    def test_maps_are_picked_by_their_indices(self):
        maps = tuple(torch.rand(1, 3, 96 // s, 128 // s) for s in (4, 8, 8, 16))
        rois = torch.tensor([(0, 0.0, 0.0, 60.0, 60.0), (0, 0.0, 0.0, 120.0, 90.0)])
        picking = extractor((4, 8), levels=[0, 2], finest_scale=40)
        first = extractor((4, 8), finest_scale=40)

        assert picking.num_inputs == 3
        assert torch.equal(picking(maps[:3], rois), first((maps[0], maps[2]), rois))

    @pytest.mark.parametrize('levels', [[0], [0, -1]])
    def test_must_be_the_maps_of_the_strides(self, levels):
        with pytest.raises(ConfigValueError, match=r'from 0 on.*=\[4, 8\]'):
            extractor((4, 8), levels=levels)

    def test_there_must_be_strides(self):
        with pytest.raises(ConfigValueError, match='featmap_strides is empty'):
            extractor(())
