# Copyright (c) onestage_pose contributors.
from onestage_pose.codecs import RoIHeatmap
from onestage_pose.codecs.roi_heatmap import bicubic_weights, gather_window

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpose.codecs.utils.refinement import refine_keypoints, refine_keypoints_dark
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import KEYPOINT_CODECS


def random_boxes(num, smallest=20.0, largest=300.0):
    """(num, 4) boxes anywhere, beyond the picture's border as well."""
    corner = torch.rand(num, 2) * 600 - 100
    return torch.cat(
        (corner, corner + smallest + torch.rand(num, 2) * (largest - smallest)), -1
    )


def smooth_logits(num, num_keypoints, width=56, height=56):
    """Logits with several hills, as an unsure head gives them."""
    coarse = torch.randn(num, num_keypoints, height // 6 + 2, width // 6 + 2)
    return 4 * F.interpolate(coarse, (height, width), mode='bilinear')


def gaussian_logits(peaks, sigma=2.0, width=56, height=56):
    """Log of a Gaussian about each of ``peaks`` (N, K, 2), in bins from the edge."""
    xs = torch.arange(width) + 0.5
    ys = torch.arange(height) + 0.5
    dx = xs - peaks[..., 0, None]
    dy = ys - peaks[..., 1, None]
    return -(dy[..., :, None] ** 2 + dx[..., None, :] ** 2) / (2 * sigma**2)


def unit_boxes(num, width=56, height=56):
    """Boxes in which a bin is one pixel."""
    return torch.tensor([[0.0, 0.0, width, height]]).repeat(num, 1)


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


def decode_one_by_one(logits, boxes):
    """Keypoint decoding of Detectron2: everybody upsampled to their own box."""
    keypoints, scores = [], []
    for person, (x1, y1, x2, y2) in zip(logits, boxes.tolist()):
        width, height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
        columns, rows = int(np.ceil(width)), int(np.ceil(height))
        large = F.interpolate(
            person[None], (rows, columns), mode='bicubic', align_corners=False
        )[0].flatten(1)
        peak, index = large.max(-1)
        x = (index % columns + 0.5) * width / columns + x1
        y = (index // columns + 0.5) * height / rows + y1
        keypoints.append(torch.stack((x, y), -1))
        scores.append((peak - person.flatten(1).logsumexp(-1)).exp())
    return torch.stack(keypoints), torch.stack(scores)


class TestBicubic:
    @pytest.mark.parametrize('at_once', [2**24, 200_000, 1])
    def test_equals_upsampling_one_by_one(self, monkeypatch, at_once):
        monkeypatch.setattr(RoIHeatmap, 'MAX_UPSAMPLED', dict(cpu=at_once))
        logits, boxes = smooth_logits(12, 5), random_boxes(12)
        keypoints, scores = RoIHeatmap().decode(logits, boxes)
        expected_keypoints, expected_scores = decode_one_by_one(logits, boxes)
        torch.testing.assert_close(keypoints, expected_keypoints, rtol=0, atol=2e-3)
        torch.testing.assert_close(scores, expected_scores, rtol=1e-4, atol=1e-6)

    def test_few_people_are_upsampled_at_once_where_memory_is_scarce(self, monkeypatch):
        held = []
        one_batch = RoIHeatmap._bicubic_maximum_of_batch

        def count(logits, pixels, width, height):
            held.append((len(logits), len(logits) * 3 * width * height))
            return one_batch(logits, pixels, width, height)

        monkeypatch.setattr(RoIHeatmap, 'MAX_UPSAMPLED', dict(cpu=100_000))
        monkeypatch.setattr(
            RoIHeatmap, '_bicubic_maximum_of_batch', staticmethod(count)
        )
        RoIHeatmap().decode(smooth_logits(20, 3), random_boxes(20))
        assert sum(people for people, _ in held) == 20
        assert all(size <= 100_000 or people == 1 for people, size in held)

    def test_grid_need_not_be_square(self):
        logits, boxes = smooth_logits(6, 3, width=20, height=33), random_boxes(6)
        keypoints, _ = RoIHeatmap(heatmap_size=(20, 33)).decode(logits, boxes)
        expected, _ = decode_one_by_one(logits, boxes)
        torch.testing.assert_close(keypoints, expected, rtol=0, atol=2e-3)

    def test_boxes_smaller_than_the_grid_and_than_a_pixel(self):
        logits = smooth_logits(8, 3)
        boxes = random_boxes(8, smallest=0.1, largest=3.0)
        boxes[0, 2:] = boxes[0, :2]
        keypoints, scores = RoIHeatmap().decode(logits, boxes)
        expected_keypoints, expected_scores = decode_one_by_one(logits, boxes)
        torch.testing.assert_close(keypoints, expected_keypoints, rtol=0, atol=1e-3)
        torch.testing.assert_close(scores, expected_scores, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize('size', [1, 7, 56, 57, 400])
    def test_weights_are_those_of_interpolate(self, size):
        weights = bicubic_weights(56, torch.tensor([size]), size)[0]
        expected = F.interpolate(
            torch.eye(56)[None, None], (size, 56), mode='bicubic', align_corners=False
        )[0, 0]
        torch.testing.assert_close(weights, expected, rtol=0, atol=1e-4)


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


class TestPaste:
    box = torch.tensor([[30.0, 10.0, 86.0, 66.0]])

    def test_the_peak_is_at_the_keypoints_pixel(self):
        # bins and pixels coincide: bin (12, 40) is pixel (42, 50)
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5], [3.5, 2.5]]]))
        pasted = RoIHeatmap().paste(logits, self.box, (100, 120))
        at = pasted.flatten(1).argmax(-1)
        assert torch.stack((at % 120, at // 120), -1).tolist() == [[42, 50], [33, 12]]

    def test_follows_the_decoded_keypoint_into_any_box(self):
        logits = gaussian_logits(4 + 48 * torch.rand(6, 4, 2))
        boxes = random_boxes(6, smallest=60.0)
        boxes[:, :] -= boxes.amin() - 5
        keypoints, _ = RoIHeatmap().decode(logits, boxes)
        for person in range(6):
            pasted = RoIHeatmap().paste(logits[[person]], boxes[[person]], (1000, 1000))
            at = pasted.flatten(1).argmax(-1)
            center = torch.stack((at % 1000, at // 1000), -1) + 0.5
            bin_size = (boxes[person, 2:] - boxes[person, :2]) / 56
            assert ((center - keypoints[person]).abs() <= bin_size + 1).all()

    def test_everybodys_maximum_is_one_and_the_rest_of_the_picture_zero(self):
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5]]]))
        pasted = RoIHeatmap().paste(logits, self.box, (100, 120))
        outside = pasted.clone()
        outside[:, 10:66, 30:86] = 0
        assert pasted.max().item() == pytest.approx(1) and not outside.any()

    def test_the_higher_value_counts_where_people_overlap(self):
        logits = gaussian_logits(torch.tensor([[[12.5, 40.5]], [[30.5, 20.5]]]))
        boxes = self.box.repeat(2, 1)
        codec = RoIHeatmap()
        both = codec.paste(logits, boxes, (100, 120))
        each = [codec.paste(logits[[i]], boxes[[i]], (100, 120)) for i in range(2)]
        assert torch.equal(both, torch.maximum(*each))

    @pytest.mark.parametrize(
        'box', [(-30.0, -20.0, 26.0, 36.0), (100.0, 80.0, 300.0, 280.0)]
    )
    def test_a_box_that_leaves_the_picture_is_cut(self, box):
        logits = torch.zeros(1, 1, 56, 56)
        pasted = RoIHeatmap().paste(logits, torch.tensor([box]), (100, 120))
        x1, y1, x2, y2 = (int(max(value, 0)) for value in box)
        expected = torch.zeros(1, 100, 120)
        expected[:, y1:y2, x1:x2] = 1
        torch.testing.assert_close(pasted, expected)

    @pytest.mark.parametrize(
        'box', [(-90.0, -90.0, -34.0, -34.0), (200.0, 10.0, 256.0, 66.0)]
    )
    def test_a_box_beside_the_picture_draws_nothing(self, box):
        logits = torch.randn(1, 2, 56, 56)
        assert not RoIHeatmap().paste(logits, torch.tensor([box]), (100, 120)).any()

    def test_nobody(self):
        codec = RoIHeatmap()
        pasted = codec.paste(torch.zeros(0, 7, 56, 56), torch.zeros(0, 4), (10, 12))
        assert pasted.shape == (7, 10, 12) and not pasted.any()


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


def test_gather_window_is_zero_outside_the_map():
    maps = torch.arange(1.0, 13).view(1, 1, 3, 4)
    window = gather_window(maps, torch.tensor([[[3, 0]]]), 1)
    assert window[0, 0].tolist() == [[0, 0, 0], [3, 4, 0], [7, 8, 0]]
