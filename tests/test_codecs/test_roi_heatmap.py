# Copyright (c) onestage_pose contributors.
from onestage_pose.codecs import RoIHeatmap
from onestage_pose.codecs.decoders import DECODERS, SCORES

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpose.codecs.utils.refinement import refine_keypoints, refine_keypoints_dark
from mmpose.registry import KEYPOINT_CODECS

from tests.heatmap_factory import (
    gaussian_logits,
    random_boxes,
    smooth_logits,
    unit_boxes,
)


class TestEncode:
    box = torch.tensor([[10.0, 20.0, 66.0, 132.0]])  # bins of 1 x 2 px

    def encode(self, *points, visible=None):
        keypoints = torch.tensor([points])
        if visible is not None:
            visible = torch.tensor([visible])
        encoded = RoIHeatmap().encode(keypoints, visible, boxes=self.box)
        return [encoded[key][0].tolist() for key in encoded]

    def test_a_point_gets_the_bin_that_holds_it(self):
        labels, weights = self.encode((13.2, 31.9), (10.999, 22.001))
        assert (labels, weights) == ([5 * 56 + 3, 1 * 56 + 0], [1, 1])

    def test_the_left_and_upper_edge_belong_to_the_first_bin(self):
        labels, weights = self.encode((10.0, 20.0))
        assert (labels, weights) == ([0], [1])

    def test_the_right_and_lower_edge_belong_to_the_last_bin(self):
        labels, weights = self.encode((66.0, 20.0), (10.0, 132.0), (66.0, 132.0))
        assert (labels, weights) == ([55, 55 * 56, 55 * 56 + 55], [1, 1, 1])

    @pytest.mark.parametrize(
        'point', [(9.99, 50.0), (66.01, 50.0), (30.0, 19.99), (30.0, 132.01)]
    )
    def test_a_point_outside_does_not_count(self, point):
        assert self.encode(point) == [[0], [0]]

    def test_a_point_that_is_not_labelled_does_not_count(self):
        labels, weights = self.encode((13.2, 31.9), (13.2, 31.9), visible=(0.0, 1.0))
        assert (labels, weights) == ([0, 283], [0, 1])

    def test_occluded_counts_like_visible(self):
        _, weights = self.encode((13.2, 31.9), (13.2, 31.9), visible=(1.0, 2.0))
        assert weights == [1, 1]

    def test_grid_need_not_be_square(self):
        codec = RoIHeatmap(heatmap_size=(4, 8))
        encoded = codec.encode(torch.tensor([[[3.5, 1.5]]]), boxes=unit_boxes(1, 4, 8))
        assert encoded['keypoint_labels'].item() == 1 * 4 + 3

    def test_labels_stay_in_the_grid_for_boxes_without_area(self):
        boxes = torch.tensor([[5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 9.0]])
        points = torch.tensor([[5.0, 5.0], [5.0, 7.0], [1e30, 3.0]]).repeat(2, 1, 1)
        labels = RoIHeatmap().encode(points, boxes=boxes)['keypoint_labels']
        assert ((labels >= 0) & (labels < 56 * 56)).all()

    def test_nobody(self):
        encoded = RoIHeatmap().encode(torch.zeros(0, 17, 2), boxes=torch.zeros(0, 4))
        assert {key: tuple(value.shape) for key, value in encoded.items()} == dict(
            keypoint_labels=(0, 17), keypoint_weights=(0, 17)
        )

    def test_types(self):
        encoded = RoIHeatmap().encode(torch.zeros(2, 3, 2), boxes=unit_boxes(2))
        assert [value.dtype for value in encoded.values()] == [
            torch.int64,
            torch.float32,
        ]

    def test_boxes_are_needed(self):
        with pytest.raises(ValueError, match='needs the boxes'):
            RoIHeatmap().encode(torch.zeros(1, 17, 2))


@pytest.mark.parametrize('size', [56, (20, 33)])
def test_encode_then_decode_comes_back_within_half_a_bin(size):
    codec = RoIHeatmap(heatmap_size=size, decode_mode='argmax')
    boxes = random_boxes(50)
    extent = (boxes[:, 2:] - boxes[:, :2])[:, None]
    points = boxes[:, None, :2] + torch.rand(50, 17, 2) * extent

    encoded = codec.encode(points, boxes=boxes)
    width, height = codec.heatmap_size
    logits = F.one_hot(encoded['keypoint_labels'], width * height).float()
    decoded, _ = codec.decode(logits.unflatten(-1, (height, width)), boxes)

    assert encoded['keypoint_weights'].all()
    half_bin = extent / torch.tensor([width, height]) / 2
    assert ((decoded - points).abs() <= half_bin + 1e-3).all()


class TestSubPixel:
    def peaks_inside(self, num=40, num_keypoints=17):
        return 4 + torch.rand(num, num_keypoints, 2) * 48

    @pytest.mark.parametrize('mode', ['quarter', 'dark'])
    def test_equals_mmpose(self, mode):
        logits = gaussian_logits(self.peaks_inside(), sigma=2.5)
        logits = logits + 0.02 * torch.randn_like(logits)
        probability = logits.flatten(2).softmax(-1).view_as(logits)
        codec = RoIHeatmap(decode_mode=mode)
        decoded, _ = codec.decode(logits, unit_boxes(len(logits)))

        index = logits.flatten(2).argmax(-1)
        start = torch.stack((index % 56, index // 56), -1).float().numpy()
        expected = []
        for person, heatmaps in zip(start, probability.numpy()):
            if mode == 'quarter':
                expected.append(refine_keypoints(person[None], heatmaps)[0])
            else:
                expected.append(
                    refine_keypoints_dark(
                        person[None], heatmaps.copy(), codec.blur_kernel_size
                    )[0]
                )
        # mmpose puts a bin's centre at its index
        expected = torch.from_numpy(np.stack(expected)) + 0.5
        torch.testing.assert_close(decoded, expected, rtol=0, atol=1e-3)

    def error(self, mode, sigma=2.0):
        torch.manual_seed(0)
        peaks = self.peaks_inside()
        # boxes with ten pixels a bin: pixels limit nobody
        boxes = unit_boxes(len(peaks)) * 10
        decoded, _ = RoIHeatmap(decode_mode=mode).decode(
            gaussian_logits(peaks, sigma), boxes
        )
        return (decoded / 10 - peaks).norm(dim=-1).mean().item()

    def test_a_quarter_of_a_bin_halves_the_error_of_the_maximum(self):
        assert self.error('quarter') < 0.6 * self.error('argmax')

    def test_dark_finds_a_gaussians_centre(self):
        assert self.error('dark') < 0.02

    def test_bicubic_is_nearer_than_the_bins(self):
        assert self.error('bicubic') < 0.5 * self.error('argmax')

    @pytest.mark.parametrize('mode', ['quarter', 'dark'])
    @pytest.mark.parametrize('corner', [(0.2, 0.2), (55.8, 0.2), (0.2, 55.8)])
    def test_a_maximum_on_the_border_is_left_where_it_is(self, mode, corner):
        logits = gaussian_logits(torch.tensor([[corner]]))
        refined, _ = RoIHeatmap(decode_mode=mode).decode(logits, unit_boxes(1))
        plain, _ = RoIHeatmap(decode_mode='argmax').decode(logits, unit_boxes(1))
        assert torch.equal(refined, plain)

    def test_dark_moves_at_most_a_bin_on_a_flat_map(self):
        logits = torch.zeros(1, 2, 56, 56)
        logits[..., 30, 20] = 1e-6
        refined, _ = RoIHeatmap(decode_mode='dark').decode(logits, unit_boxes(1))
        assert (refined - torch.tensor([20.5, 30.5])).abs().max() <= 1

    def test_expected_oks_finds_a_gaussians_centre(self):
        assert self.error('expected_oks') < 0.02

    @pytest.mark.parametrize('mode', RoIHeatmap.DECODE_MODES)
    def test_mirrored_logits_give_mirrored_keypoints(self, mode):
        logits = gaussian_logits(self.peaks_inside(5))
        boxes = unit_boxes(5) * 3
        codec = RoIHeatmap(decode_mode=mode)
        there, _ = codec.decode(logits, boxes)
        back, _ = codec.decode(logits.flip(-1), boxes)
        mirrored = torch.stack((3 * 56 - back[..., 0], back[..., 1]), -1)
        torch.testing.assert_close(mirrored, there, rtol=0, atol=1e-3)


class TestScore:
    @pytest.mark.parametrize('mode', ['argmax', 'quarter', 'dark'])
    def test_peak_is_the_highest_bins_probability(self, mode):
        logits = smooth_logits(3, 5)
        _, scores = RoIHeatmap(decode_mode=mode).decode(logits, random_boxes(3))
        torch.testing.assert_close(scores, logits.flatten(2).softmax(-1).amax(-1))

    @pytest.mark.parametrize('mode', RoIHeatmap.DECODE_MODES)
    def test_window_is_the_probability_of_the_bins_around_the_highest(self, mode):
        peaks = torch.tensor([[[20.5, 30.5], [0.5, 0.5]]])
        logits = gaussian_logits(peaks)
        codec = RoIHeatmap(
            decode_mode=mode, score_mode='window', window=2, sigmas=(0.03, 0.1)
        )
        _, scores = codec.decode(logits, unit_boxes(1))
        probability = logits.flatten(2).softmax(-1).view_as(logits)[0]
        expected = torch.stack(
            (probability[0, 28:33, 18:23].sum(), probability[1, :3, :3].sum())
        )
        torch.testing.assert_close(scores[0], expected)

    def test_window_is_a_probability(self):
        logits = torch.cat((smooth_logits(9, 3), torch.zeros(1, 3, 56, 56)))
        codec = RoIHeatmap(score_mode='window')
        _, scores = codec.decode(logits * 5, random_boxes(10))
        assert ((scores > 0) & (scores <= 1 + 1e-6)).all()

    def test_window_rises_as_the_distribution_sharpens(self):
        peaks = torch.tensor([[[20.2, 30.7]]])
        logits = torch.cat([gaussian_logits(peaks, s) for s in (12.0, 6.0, 3.0, 1.0)])
        _, scores = RoIHeatmap(score_mode='window').decode(logits, unit_boxes(4))
        assert (scores[1:] > scores[:-1]).all() and scores[-1] > 0.9


@pytest.mark.parametrize('score_mode', RoIHeatmap.SCORE_MODES)
@pytest.mark.parametrize('decode_mode', RoIHeatmap.DECODE_MODES)
class TestDecode:
    def test_nobody(self, decode_mode, score_mode):
        codec = RoIHeatmap(decode_mode=decode_mode, score_mode=score_mode)
        keypoints, scores = codec.decode(torch.zeros(0, 17, 56, 56), torch.zeros(0, 4))
        assert keypoints.shape == (0, 17, 2) and scores.shape == (0, 17)

    @pytest.mark.parametrize('autocast', [False, True])
    def test_bfloat16_is_computed_on_in_float32(
        self, decode_mode, score_mode, autocast
    ):
        codec = RoIHeatmap(decode_mode=decode_mode, score_mode=score_mode)
        logits, boxes = smooth_logits(3, 17).bfloat16(), random_boxes(3)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=autocast):
            results = codec.decode(logits, boxes)
        for half, full in zip(results, codec.decode(logits.float(), boxes)):
            assert half.dtype == torch.float32 and torch.equal(half, full)

    def test_keypoints_lie_in_their_boxes(self, decode_mode, score_mode):
        codec = RoIHeatmap(decode_mode=decode_mode, score_mode=score_mode)
        boxes = random_boxes(10)
        keypoints, _ = codec.decode(torch.randn(10, 17, 56, 56), boxes)
        below = keypoints >= boxes[:, None, :2] - 1e-3
        above = keypoints <= boxes[:, None, 2:] + 1e-3
        assert below.all() and above.all()


class TestOptions:
    def test_built_by_name(self):
        assert isinstance(KEYPOINT_CODECS.build(dict(type='RoIHeatmap')), RoIHeatmap)

    def test_heatmap_size_may_be_a_list(self):
        codec = RoIHeatmap(heatmap_size=[20, 33])
        keypoints, _ = codec.decode(torch.zeros(1, 2, 33, 20), unit_boxes(1))
        assert keypoints.shape == (1, 2, 2)

    @pytest.mark.parametrize(
        ('options', 'message'),
        [
            (dict(decode_mode='cubic'), "decode_mode='cubic'.*'bicubic'"),
            (dict(score_mode='sum'), "score_mode='sum'.*'window'"),
            (dict(blur_kernel_size=4), 'blur_kernel_size=4 must be odd'),
            (dict(area_ratio=0), 'area_ratio=0 and sigmas=None must be positive'),
            (dict(sigmas=[0.1, -0.1]), 'sigmas=.0.1, -0.1. must be positive'),
        ],
    )
    def test_unknown_values_are_refused(self, options, message):
        with pytest.raises(ValueError, match=message):
            RoIHeatmap(**options)

    def test_logits_of_another_grid_are_refused(self):
        with pytest.raises(ValueError, match=r'\[56, 56\].*\[28, 14\]'):
            RoIHeatmap().decode(torch.zeros(1, 17, 14, 28), unit_boxes(1))


class TestTables:
    def test_a_decoder_of_ones_own_is_an_entry(self, monkeypatch):
        def in_the_middle(logits, sizes, options):
            return logits.new_full((*logits.shape[:2], 2), 0.5), logits.amax((-2, -1))

        monkeypatch.setitem(DECODERS, 'middle', in_the_middle)
        boxes = random_boxes(3)
        keypoints, _ = RoIHeatmap(decode_mode='middle').decode(
            smooth_logits(3, 5), boxes
        )
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        torch.testing.assert_close(keypoints, middle[:, None].expand(-1, 5, -1))

    def test_a_score_of_ones_own_is_an_entry(self, monkeypatch):
        def of_the_size(logits, sizes, options, position, peak):
            return sizes[:, :1].expand_as(peak)

        monkeypatch.setitem(SCORES, 'width', of_the_size)
        boxes = random_boxes(3)
        _, scores = RoIHeatmap(score_mode='width').decode(smooth_logits(3, 5), boxes)
        torch.testing.assert_close(scores[:, 0], boxes[:, 2] - boxes[:, 0])
