# Copyright (c) onestage_pose contributors.
from onestage_pose.codecs import RoIHeatmap
from onestage_pose.codecs.decoders.expected_oks import (
    expected_oks_of_bins,
    oks_along_axis,
    oks_tolerance,
)

import numpy as np
import pytest
import torch
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.heatmap_factory import (
    gaussian_logits,
    random_boxes,
    smooth_logits,
    unit_boxes,
)


def expected_oks(logits, boxes, points, sigmas, area_ratio):
    """Mean over a person's distribution of COCO's OKS of ``points`` (N, K, 2)."""
    num, num_keypoints, height, width = logits.shape
    rows, columns = torch.meshgrid(
        torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing='ij'
    )
    bins = torch.stack((columns, rows), -1) / torch.tensor([width, height])
    size = boxes[:, None, None, None, 2:] - boxes[:, None, None, None, :2]
    centers = boxes[:, None, None, None, :2] + bins * size
    distance = (centers - points[:, :, None, None]).square().sum(-1)
    area = area_ratio * size.prod(-1)
    variance = (2 * torch.tensor(sigmas).view(-1, 1, 1)) ** 2
    oks = torch.exp(-distance / (2 * area * variance))
    return (oks.flatten(2) * logits.flatten(2).softmax(-1)).sum(-1)


class TestExpectedOks:
    sigmas = (0.03, 0.06, 0.1)

    def codec(self, **options):
        options = dict(decode_mode='expected_oks', sigmas=self.sigmas, **options)
        return RoIHeatmap(**options)

    def test_no_place_near_or_far_promises_more(self):
        logits, boxes = smooth_logits(8, 3), random_boxes(8)
        best, _ = self.codec(area_ratio=0.4).decode(logits, boxes)
        promise = expected_oks(logits, boxes, best, self.sigmas, 0.4)
        size = (boxes[:, 2:] - boxes[:, :2])[:, None]
        for reach in (0.01, 0.05, 1.0):
            for _ in range(30):
                other = best + reach * size * (torch.rand(8, 3, 2) - 0.5)
                others = expected_oks(logits, boxes, other, self.sigmas, 0.4)
                assert (others <= promise + 2e-4).all()

    def test_two_hills_side_by_side_outweigh_a_higher_one(self):
        peaks = torch.tensor([[[12.5, 12.5]] * 3])
        lone = gaussian_logits(peaks, 1.0).exp()
        pair = gaussian_logits(peaks + 25.5, 1.0).exp()
        pair = pair + gaussian_logits(peaks + 28.5, 1.0).exp()
        logits = (1.2 * lone + pair + 1e-9).log()
        highest, _ = RoIHeatmap(decode_mode='argmax').decode(logits, unit_boxes(1))
        best, _ = self.codec().decode(logits, unit_boxes(1))
        assert (highest - peaks).abs().max() < 1
        assert (best - (peaks + 27)).abs().max() < 1

    @pytest.mark.parametrize('mode', RoIHeatmap.DECODE_MODES)
    def test_score_is_the_oks_to_expect_where_the_keypoint_is(self, mode):
        logits, boxes = smooth_logits(6, 3), random_boxes(6)
        codec = RoIHeatmap(
            decode_mode=mode,
            score_mode='expected_oks',
            sigmas=self.sigmas,
            area_ratio=0.3,
        )
        keypoints, scores = codec.decode(logits, boxes)
        expected = expected_oks(logits, boxes, keypoints, self.sigmas, 0.3)
        torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)

    def test_coco_sigmas_are_the_default(self):
        coco = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
        np.testing.assert_allclose(RoIHeatmap().sigmas, coco['sigmas'])

    @pytest.mark.parametrize('option', ['decode_mode', 'score_mode'])
    def test_another_skeleton_needs_sigmas(self, option):
        codec = RoIHeatmap(**{option: 'expected_oks'})
        with pytest.raises(ValueError, match='sigmas of the 14 keypoints, got 17'):
            codec.decode(torch.zeros(1, 14, 56, 56), unit_boxes(1))


def test_tolerance_is_the_standard_deviation_of_oks_in_bins():
    # 28 x 112 px in 56 x 56 bins: half a pixel across, two pixels down
    made = oks_tolerance(
        torch.zeros(1, 2, 56, 56), torch.tensor([[28.0, 112.0]]), (0.1, 0.05), 0.25
    )
    deviation = (0.25 * 28 * 112) ** 0.5 * 2
    expected = [[2 * 0.1, 0.5 * 0.1], [2 * 0.05, 0.5 * 0.05]]
    torch.testing.assert_close(made[0], deviation * torch.tensor(expected))


def test_oks_falls_to_a_gaussians_value_at_one_tolerance():
    made = oks_along_axis(torch.tensor([[2.5]]), torch.tensor([2.0]), 5)
    expected = torch.exp(-0.5 * (torch.tensor([-2.0, -1, 0, 1, 2]) / 2) ** 2)
    torch.testing.assert_close(made[0, 0], expected)


def test_expected_oks_of_a_sure_prediction_is_oks_itself():
    probability = torch.zeros(1, 1, 6, 8)
    probability[..., 2, 5] = 1
    made = expected_oks_of_bins(probability, torch.tensor([[[1.5, 3.0]]]))
    across = oks_along_axis(torch.tensor([5.5]), torch.tensor(1.5), 8)
    down = oks_along_axis(torch.tensor([2.5]), torch.tensor(3.0), 6)
    torch.testing.assert_close(made[0, 0], down.mT @ across)
