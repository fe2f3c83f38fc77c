# Copyright (c) onestage_pose contributors.
"""What holds of RoIHeatmap for any boxes, keypoints and logits."""

from unittest import mock

from onestage_pose.codecs import RoIHeatmap
from onestage_pose.codecs.decoders import bicubic

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

# The same cases every time, on a busy machine too.
PROFILE = settings(
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
EPS = torch.finfo(torch.float32).eps
GRID_MODES = ('argmax', 'quarter', 'dark')
SIGMAS = (0.03, 0.1)


def codec_of(grid, mode, **options):
    """A codec of two keypoints."""
    return RoIHeatmap(grid, decode_mode=mode, sigmas=SIGMAS, **options)


every_mode = pytest.mark.parametrize('mode', RoIHeatmap.DECODE_MODES)
grid_mode = pytest.mark.parametrize('mode', GRID_MODES)
small_grids = st.tuples(st.integers(1, 9), st.integers(1, 9))
grids = st.one_of(small_grids, st.just((56, 56)))
modes = st.sampled_from(RoIHeatmap.DECODE_MODES)
counts = st.integers(1, 3)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
anything = st.floats(width=32)


def tensors(shape, elements):
    return arrays(np.float32, shape, elements=elements).map(torch.from_numpy)


def between(low, high):
    return st.floats(low, high, width=32)


@st.composite
def boxes_of(draw, num, largest):
    """(num, 4) boxes from 1 px to ``largest``, up to a million pixels away."""
    corner = draw(tensors((num, 2), between(-1e6, 1e6)))
    side = st.one_of(between(1, 3), between(1, largest))
    boxes = torch.cat((corner, corner + draw(tensors((num, 2), side))), -1)
    assume((size_of(boxes) >= 1).all())
    return boxes


def size_of(boxes):
    return boxes[:, 2:] - boxes[:, :2]


def rounding(boxes):
    """(N, 1, 2) what float32 takes from a position: as far away, as large."""
    far = torch.maximum(boxes[:, 2:].abs(), boxes[:, :2].abs())
    return (EPS * far + sliver(boxes))[:, None]


def sliver(boxes):
    """(N, 2) width along the right and lower edge where rounding decides."""
    return 4 * EPS * size_of(boxes)


@st.composite
def people_of(draw, largest=1e6, num_keypoints=2):
    """Boxes and keypoints in them, edges included, but not the sliver before one."""
    num = draw(counts)
    boxes = draw(boxes_of(num, largest))
    fraction = draw(tensors((num, num_keypoints, 2), between(0, 1)))
    edge = boxes[:, None, 2:]
    points = boxes[:, None, :2] + fraction * size_of(boxes)[:, None]
    return boxes, torch.where(edge - points < sliver(boxes)[:, None], edge, points)


@st.composite
def predictions_of(draw, largest=200, magnitude=1e4, num_keypoints=2):
    """A grid, logits on it (flat ones, spikes, plateaus, noise) and boxes."""
    num, spiky = draw(counts), draw(st.booleans())
    width, height = draw(small_grids if spiky else grids)
    shape = (num, num_keypoints, height, width)
    if spiky:
        logits = draw(tensors(shape, between(-magnitude, magnitude)))
    else:
        generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
        noise = torch.randn(shape, generator=generator)
        logits = noise * 10.0 ** draw(st.integers(-6, 4))
    return (
        (width, height),
        logits.clamp(-magnitude, magnitude),
        draw(boxes_of(num, largest)),
    )


def tents(labels, grid):
    """Logits that fall evenly, in x and in y, away from the labelled bin."""
    width, height = grid
    column, row = labels % width, labels // width
    dx = (torch.arange(width) - column[..., None]).abs()
    dy = (torch.arange(height) - row[..., None]).abs()
    return -(dy[..., :, None] + dx[..., None, :]).float()


def sure(labels, grid):
    """Logits with all probability in the labelled bin."""
    width, height = grid
    return 100 * F.one_hot(labels, width * height).float().unflatten(
        -1, (height, width)
    )


def in_bins(distance, boxes, grid):
    """A distance in pixels (N, K, 2) as a number of bins."""
    return distance / size_of(boxes)[:, None] * torch.tensor(grid)


class TestRoundTrip:
    @grid_mode
    @PROFILE
    @given(grid=grids, people=people_of())
    def test_comes_back_within_half_a_bin(self, mode, grid, people):
        boxes, points = people
        codec = RoIHeatmap(heatmap_size=grid, decode_mode=mode)
        labels = codec.encode(points, boxes=boxes)['keypoint_labels']
        decoded, _ = codec.decode(sure(labels, grid), boxes)
        half_bin = size_of(boxes)[:, None] / torch.tensor(grid) / 2
        off = (decoded.double() - points.double()).abs()
        assert (off <= half_bin * (1 + 1e-4) + rounding(boxes)).all()

    @PROFILE
    @given(grid=grids, people=people_of(largest=300))
    def test_bicubic_comes_back_within_half_a_bin_and_half_a_pixel(self, grid, people):
        # Upsampled logits of a tent fall to both sides of the bin's centre, so that
        # the maximum is the pixel nearest to it. In a border bin, upsampled to more
        # than a pixel, they rise on past the centre (repeating the border overshoots
        # by up to a ninth), so that there only the bin is sure.
        boxes, points = people
        codec = RoIHeatmap(heatmap_size=grid, decode_mode='bicubic')
        labels = codec.encode(points, boxes=boxes)['keypoint_labels']
        decoded, _ = codec.decode(tents(labels, grid), boxes)
        bins = torch.tensor(grid)
        pixel = (bins / size_of(boxes).ceil())[:, None]  # in bins
        position = torch.stack((labels % grid[0], labels // grid[0]), -1)
        on_border = (position == 0) | (position == bins - 1)
        allowed = torch.where(on_border & (pixel < 1), 1.0, (1 + pixel) / 2)
        off = (decoded.double() - points.double()).abs()
        off = in_bins((off - rounding(boxes)).clamp(min=0), boxes, grid)
        assert (off <= allowed + 1e-3).all()

    @PROFILE
    @given(grid=grids, num=counts, data=st.data())
    def test_bicubic_is_argmax_where_a_bin_is_a_pixel(self, grid, num, data):
        logits = data.draw(tensors((num, 2, *grid[::-1]), between(-1e4, 1e4)))
        boxes = torch.tensor([[0.0, 0.0, *grid]]).repeat(num, 1)
        bicubic = RoIHeatmap(heatmap_size=grid).decode(logits, boxes)
        argmax = RoIHeatmap(grid, decode_mode='argmax').decode(logits, boxes)
        torch.testing.assert_close(bicubic, argmax)


class TestWhatCounts:
    @PROFILE
    @given(grid=grids, people=people_of())
    def test_points_in_the_box(self, grid, people):
        boxes, points = people
        encoded = RoIHeatmap(heatmap_size=grid).encode(points, boxes=boxes)
        assert (encoded['keypoint_weights'] == 1).all()

    @PROFILE
    @example(side=13.0)
    @given(side=between(1, 1000))
    def test_points_a_float_step_inside_the_box(self, side):
        edge = torch.tensor(side)
        point = torch.nextafter(edge, torch.tensor(0.0)).expand(1, 1, 2)
        box = torch.tensor([[0.0, 0.0, side, side]])
        assert RoIHeatmap().encode(point, boxes=box)['keypoint_weights'].item() == 1

    @PROFILE
    @given(num=counts, data=st.data())
    def test_not_points_outside(self, num, data):
        boxes = data.draw(boxes_of(num, 1e6))
        points = data.draw(tensors((num, 3, 2), finite))
        margin = sliver(boxes)[:, None]
        low, high = boxes[:, None, :2] - margin, boxes[:, None, 2:] + margin
        outside = ((points < low) | (points > high)).any(-1)
        encoded = RoIHeatmap().encode(points, boxes=boxes)
        assert not encoded['keypoint_weights'][outside].any()

    @PROFILE
    @example(left=0.6, right=3.6999998)
    @given(left=between(0, 300), right=between(301, 600))
    def test_not_points_a_float_step_outside_the_box(self, left, right):
        box = torch.tensor([[left, 0.0, right, 1.0]])
        point = torch.tensor([[[right, 0.5]]])
        point[..., 0] = torch.nextafter(point[..., 0], torch.tensor(torch.inf))
        assert RoIHeatmap().encode(point, boxes=box)['keypoint_weights'].item() == 0

    @PROFILE
    @given(people=people_of(), data=st.data())
    def test_not_unlabelled_points(self, people, data):
        boxes, points = people
        visible = data.draw(tensors(points.shape[:2], st.sampled_from((0.0, 1.0, 2.0))))
        encoded = RoIHeatmap().encode(points, visible, boxes=boxes)
        assert torch.equal(encoded['keypoint_weights'], (visible > 0).float())

    @PROFILE
    @given(num=counts, data=st.data())
    def test_not_points_that_are_no_numbers(self, num, data):
        boxes = data.draw(tensors((num, 4), finite))
        bad = st.sampled_from((np.nan, np.inf, -np.inf))
        points = data.draw(tensors((num, 3, 2), finite))
        points[..., data.draw(st.integers(0, 1))] = data.draw(
            tensors((num, 3), bad.map(np.float32))
        )
        encoded = RoIHeatmap().encode(points, boxes=boxes)
        assert not encoded['keypoint_weights'].any()

    @PROFILE
    @example(x=0.0, y=0.0, height=0.0)
    @given(x=between(-1e3, 1e3), y=between(-1e3, 1e3), height=between(0, 1e3))
    def test_nothing_in_a_box_without_area(self, x, y, height):
        box = torch.tensor([[x, y, x, y + height]])
        encoded = RoIHeatmap().encode(torch.tensor([[[x, y]]]), boxes=box)
        assert encoded['keypoint_weights'].item() == 0

    @PROFILE
    @example(side=2.0)
    @given(side=between(1, 1e3))
    def test_nothing_in_an_inverted_box(self, side):
        box = torch.tensor([[side, side, 0.0, 0.0]])
        point = torch.full((1, 1, 2), side / 2)
        assert RoIHeatmap().encode(point, boxes=box)['keypoint_weights'].item() == 0


class TestLabels:
    @PROFILE
    @given(grid=grids, num=counts, data=st.data())
    def test_are_bins_whatever_comes(self, grid, num, data):
        boxes = data.draw(tensors((num, 4), anything))
        points = data.draw(tensors((num, 3, 2), anything))
        encoded = RoIHeatmap(heatmap_size=grid).encode(points, boxes=boxes)
        labels = encoded['keypoint_labels']
        assert ((labels >= 0) & (labels < grid[0] * grid[1])).all()

    @PROFILE
    @given(grid=grids, people=people_of())
    def test_are_bins_up_to_the_edges(self, grid, people):
        boxes, points = people
        encoded = RoIHeatmap(heatmap_size=grid).encode(points, boxes=boxes)
        labels = encoded['keypoint_labels']
        assert ((labels >= 0) & (labels < grid[0] * grid[1])).all()

    @PROFILE
    @given(num=counts, data=st.data())
    def test_are_0_where_nothing_counts(self, num, data):
        boxes = data.draw(tensors((num, 4), anything))
        points = data.draw(tensors((num, 3, 2), anything))
        visible = data.draw(tensors((num, 3), anything))
        encoded = RoIHeatmap().encode(points, visible, boxes=boxes)
        assert not encoded['keypoint_labels'][encoded['keypoint_weights'] == 0].any()


class TestDecoded:
    @every_mode
    @PROFILE
    @given(prediction=predictions_of())
    def test_lies_in_the_box(self, mode, prediction):
        grid, logits, boxes = prediction
        keypoints, _ = codec_of(grid, mode).decode(logits, boxes)
        slack = rounding(boxes)
        assert (keypoints >= boxes[:, None, :2] - slack).all()
        assert (keypoints <= boxes[:, None, 2:] + slack).all()

    @pytest.mark.parametrize(('mode', 'reach'), [('quarter', 0.25), ('dark', 1.0)])
    @PROFILE
    @given(prediction=predictions_of())
    def test_stays_near_the_highest_bin(self, mode, reach, prediction):
        grid, logits, boxes = prediction
        refined, _ = codec_of(grid, mode).decode(logits, boxes)
        plain, _ = RoIHeatmap(grid, decode_mode='argmax').decode(logits, boxes)
        off = ((refined - plain).abs() - rounding(boxes)).clamp(min=0)
        assert (in_bins(off, boxes, grid) <= reach + 1e-3).all()

    @PROFILE
    @given(mode=modes, prediction=predictions_of(), data=st.data())
    def test_is_finite_in_any_box(self, mode, prediction, data):
        grid, logits, boxes = prediction
        boxes = data.draw(tensors(tuple(boxes.shape), between(-100, 100)))
        keypoints, _ = codec_of(grid, mode).decode(logits, boxes)
        assert keypoints.isfinite().all()


class TestScore:
    @grid_mode
    @PROFILE
    @given(prediction=predictions_of())
    def test_peak_is_in_0_to_1(self, mode, prediction):
        grid, logits, boxes = prediction
        _, scores = codec_of(grid, mode).decode(logits, boxes)
        assert ((scores >= 0) & (scores <= 1)).all()

    @PROFILE
    @given(mode=modes, prediction=predictions_of(), window=st.integers(0, 3))
    def test_window_is_in_0_to_1(self, mode, prediction, window):
        grid, logits, boxes = prediction
        codec = codec_of(grid, mode, score_mode='window', window=window)
        _, scores = codec.decode(logits, boxes)
        assert ((scores >= 0) & (scores <= 1 + 1e-5)).all()

    @PROFILE
    @given(prediction=predictions_of(magnitude=50))
    def test_peak_with_bicubic_exceeds_the_highest_bins_by_what_upsampling_does(
        self, prediction
    ):
        # The weights of one axis sum to 1 and their magnitudes to at most 1.375
        # (halfway between two bins), so that those of both axes above 0 sum to at
        # most (1 + 1.375 ** 2) / 2 = 1.4454 and a maximum rises by no more than
        # 0.4454 times the logits' range.
        grid, logits, boxes = prediction
        _, scores = RoIHeatmap(grid).decode(logits, boxes)
        flat = logits.flatten(2).double()
        overshoot = (1.375**2 - 1) / 2 * (flat.amax(-1) - flat.amin(-1))
        highest = flat.softmax(-1).amax(-1)
        assert ((scores >= 0) & (scores <= highest * overshoot.exp() * 1.001)).all()


class TestPeople:
    """A person's results are their own."""

    @PROFILE
    @given(people=people_of())
    def test_together_are_encoded_as_alone(self, people):
        boxes, points = people
        codec = RoIHeatmap()
        together = codec.encode(points, boxes=boxes)
        for i in range(len(boxes)):
            alone = codec.encode(points[[i]], boxes=boxes[[i]])
            for key, values in alone.items():
                assert torch.equal(values, together[key][[i]])

    @every_mode
    @PROFILE
    @given(
        prediction=predictions_of(magnitude=50),
        limit=st.sampled_from((1, 5000, bicubic.MAX_UPSAMPLED['cpu'])),
    )
    def test_together_are_decoded_as_alone(self, mode, prediction, limit):
        grid, logits, boxes = prediction
        codec = codec_of(grid, mode)
        with mock.patch.dict(bicubic.MAX_UPSAMPLED, cpu=limit):
            keypoints, scores = codec.decode(logits, boxes)
        for i in range(len(boxes)):
            alone = codec.decode(logits[[i]], boxes[[i]])
            torch.testing.assert_close(alone[0], keypoints[[i]])
            torch.testing.assert_close(alone[1], scores[[i]], rtol=1e-3, atol=1e-6)

    @PROFILE
    @given(people=people_of(), data=st.data())
    def test_in_another_order_are_encoded_in_that_order(self, people, data):
        boxes, points = people
        order = data.draw(st.permutations(range(len(boxes))))
        before = RoIHeatmap().encode(points, boxes=boxes)
        after = RoIHeatmap().encode(points[order], boxes=boxes[order])
        assert all(torch.equal(after[key], before[key][order]) for key in before)

    @PROFILE
    @given(mode=modes, prediction=predictions_of(magnitude=50), data=st.data())
    def test_in_another_order_are_decoded_in_that_order(self, mode, prediction, data):
        grid, logits, boxes = prediction
        order = data.draw(st.permutations(range(len(boxes))))
        codec = codec_of(grid, mode)
        keypoints, scores = codec.decode(logits, boxes)
        after = codec.decode(logits[order], boxes[order])
        torch.testing.assert_close(after[0], keypoints[order])
        torch.testing.assert_close(after[1], scores[order], rtol=1e-3, atol=1e-6)


# Multiples of 1/64 px, which float32 moves without rounding.
steps = st.integers(-64_000, 64_000).map(lambda step: np.float32(step / 64))
sides = st.integers(64, 20_000).map(lambda step: np.float32(step / 64))
shifts = st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000))


@st.composite
def boxes_in_steps(draw, num):
    corner = draw(tensors((num, 2), steps))
    return torch.cat((corner, corner + draw(tensors((num, 2), sides))), -1)


class TestMovedByWholePixels:
    @PROFILE
    @given(grid=grids, num=counts, shift=shifts, data=st.data())
    def test_points_keep_their_bins(self, grid, num, shift, data):
        boxes = data.draw(boxes_in_steps(num))
        inside = data.draw(tensors((num, 3, 2), between(0, 1)))
        offset = (inside * size_of(boxes)[:, None] * 64).round() / 64
        points, shift = boxes[:, None, :2] + offset, torch.tensor(shift)
        codec = RoIHeatmap(heatmap_size=grid)
        before = codec.encode(points, boxes=boxes)
        after = codec.encode(points + shift, boxes=boxes + shift.repeat(2))
        assert all(torch.equal(after[key], before[key]) for key in before)

    @PROFILE
    @given(
        mode=modes,
        prediction=predictions_of(magnitude=50),
        shift=shifts,
        data=st.data(),
    )
    def test_decoded_points_move_along(self, mode, prediction, shift, data):
        grid, logits, boxes = prediction
        boxes = data.draw(boxes_in_steps(len(boxes)))
        shift = torch.tensor(shift)
        codec = codec_of(grid, mode)
        before, scores = codec.decode(logits, boxes)
        after, scores_after = codec.decode(logits, boxes + shift.repeat(2))
        torch.testing.assert_close(after, before + shift, rtol=0, atol=1e-3)
        assert torch.equal(scores_after, scores)
