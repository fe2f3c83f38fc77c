# Copyright (c) onestage_pose contributors.
"""What holds of resizing and flipping for any image and any people."""

from onestage_pose.datasets import PoseRandomFlip, PoseResize
from onestage_pose.datasets.transforms.pose_resize import shortest_edge_size

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mmdet.structures.mask import BitmapMasks

# The same cases every time, on a busy machine too.
PROFILE = settings(
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)

every_direction = pytest.mark.parametrize(
    'direction', ['horizontal', 'vertical', 'diagonal']
)
directions = st.sampled_from(('horizontal', 'vertical', 'diagonal'))
backends = st.sampled_from(('cv2', 'pillow'))
sides = st.integers(1, 40)
scales = st.tuples(st.integers(1, 120), st.integers(1, 120))


@st.composite
def mirror_names(draw, num_keypoints):
    """``flip_indices``: some keypoints change places in pairs, the rest stay."""
    order = draw(st.permutations(range(num_keypoints)))
    flip_indices = list(range(num_keypoints))
    for i in range(draw(st.integers(0, num_keypoints // 2))):
        left, right = order[2 * i : 2 * i + 2]
        flip_indices[left], flip_indices[right] = right, left
    return flip_indices


def positions(shape, low, high, extent):
    """Where ``low`` to ``high`` are fractions of an image of (w, h) ``extent``."""
    fractions = arrays(np.float32, shape, elements=st.floats(low, high, width=32))
    return fractions.map(lambda fraction: fraction * np.float32(extent))


@st.composite
def samples(draw, beyond=0.5):
    """An image without symmetry and its people, who may leave it by ``beyond``."""
    height, width, num = draw(sides), draw(sides), draw(st.integers(0, 3))
    num_keypoints = draw(st.integers(1, 5))
    img = np.arange(height * width * 3).reshape(height, width, 3) % 251
    img = img.astype(np.uint8)
    corners = draw(positions((num, 2, 2), -beyond, 1 + beyond, (width, height)))
    corners.sort(axis=1)
    visible = st.sampled_from((0.0, 1.0, 2.0))
    return dict(
        img=img,
        img_shape=(height, width),
        flip_indices=draw(mirror_names(num_keypoints)),
        bbox=corners.reshape(num, 4),
        keypoints=draw(positions((num, num_keypoints, 2), -1, 2, (width, height))),
        keypoints_visible=draw(
            arrays(np.float32, (num, num_keypoints), elements=visible)
        ),
        gt_masks=BitmapMasks(drawn_in(img, num), height, width),
    )


def drawn_in(img, num):
    """(num, h, w) masks of as many people, of the odd values of the channels."""
    return (img % 2).transpose(2, 0, 1)[:num]


def flip(results, direction='horizontal'):
    return PoseRandomFlip(prob=1.0, direction=direction).transform(dict(results))


def resize(results, **options):
    return PoseResize(**options).transform(dict(results))


def images(height, width):
    return dict(img=np.zeros((height, width, 3), np.uint8))


def in_edge_frame(results):
    """Keypoints (N, K, 2) and corners (N, 1, 2) x2 with the image's edge at 0."""
    corners = results['bbox'].reshape(-1, 2, 2).astype(np.float64)
    return results['keypoints'] + 0.5, corners[:, :1], corners[:, 1:]


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-3)


class TestFlip:
    @every_direction
    @PROFILE
    @given(before=samples())
    def test_twice_is_the_identity(self, direction, before):
        after = flip(flip(before, direction), direction)
        np.testing.assert_array_equal(after['img'], before['img'])
        np.testing.assert_array_equal(after['gt_masks'].masks, before['gt_masks'].masks)
        np.testing.assert_array_equal(
            after['keypoints_visible'], before['keypoints_visible']
        )
        assert_close(after['bbox'], before['bbox'])
        assert_close(after['keypoints'], before['keypoints'])

    @every_direction
    @PROFILE
    @given(before=samples())
    def test_masks_move_with_the_image(self, direction, before):
        after = flip(before, direction)
        np.testing.assert_array_equal(
            after['gt_masks'].masks, drawn_in(after['img'], len(after['bbox']))
        )

    @every_direction
    @PROFILE
    @given(before=samples())
    def test_keeps_the_size_of_boxes(self, direction, before):
        after = flip(before, direction)
        size = [r['bbox'][:, 2:] - r['bbox'][:, :2] for r in (before, after)]
        assert_close(size[1], size[0])

    @pytest.mark.parametrize('direction', ['horizontal', 'vertical'])
    @PROFILE
    @given(before=samples())
    def test_left_and_right_change_places(self, direction, before):
        after, axis = flip(before, direction), int(direction == 'vertical')
        mirrored = before['keypoints'].copy()
        mirrored[..., axis] = before['img_shape'][1 - axis] - 1 - mirrored[..., axis]
        for here, there in enumerate(before['flip_indices']):
            assert_close(after['keypoints'][:, there], mirrored[:, here])
            np.testing.assert_array_equal(
                after['keypoints_visible'][:, there],
                before['keypoints_visible'][:, here],
            )

    @PROFILE
    @given(before=samples())
    def test_half_a_turn_leaves_left_and_right(self, before):
        after = flip(before, 'diagonal')
        expected = np.array(before['img_shape'][::-1]) - 1 - before['keypoints']
        assert_close(after['keypoints'], expected)
        np.testing.assert_array_equal(
            after['keypoints_visible'], before['keypoints_visible']
        )

    @PROFILE
    @given(before=samples())
    def test_diagonal_is_horizontal_and_vertical(self, before):
        once = flip(before, 'diagonal')
        twice = flip(flip(before, 'horizontal'), 'vertical')
        np.testing.assert_array_equal(once['img'], twice['img'])
        for key in ('bbox', 'keypoints', 'keypoints_visible'):
            assert_close(once[key], twice[key])

    @PROFILE
    @given(before=samples())
    def test_what_was_left_in_the_box_is_right_in_it(self, before):
        points, low, _ = in_edge_frame(before)
        after, _, high = in_edge_frame(flip(before))
        there = before['flip_indices']
        assert_close((high - after)[:, there, 0], (points - low)[..., 0])

    @every_direction
    @PROFILE
    @given(before=samples())
    def test_leaves_the_arrays_it_got(self, direction, before):
        copies = {key: np.copy(before[key]) for key in ('img', 'bbox', 'keypoints')}
        flip(before, direction)
        for key, copy in copies.items():
            np.testing.assert_array_equal(before[key], copy)


long_sides = st.integers(1, 20_000)
bounds = st.tuples(st.integers(1, 2000), st.integers(1, 2000))


class TestShortestEdgeSize:
    @PROFILE
    @example(width=1, height=5000, scale=(1333, 800))
    @example(width=20_000, height=20, scale=(1333, 800))
    @example(width=1, height=20_000, scale=(1, 1))
    @given(width=long_sides, height=long_sides, scale=bounds)
    def test_stays_within_both_bounds(self, width, height, scale):
        size = shortest_edge_size(width, height, scale)
        assert 1 <= min(size) <= min(scale) and max(size) <= max(scale)

    @PROFILE
    @given(width=long_sides, height=long_sides, scale=bounds)
    def test_reaches_a_bound(self, width, height, scale):
        size = shortest_edge_size(width, height, scale)
        assert min(size) == min(scale) or max(size) == max(scale)

    @PROFILE
    @given(width=long_sides, height=long_sides, scale=bounds)
    def test_keeps_proportions_to_half_a_pixel(self, width, height, scale):
        factor = min(
            min(scale) / min(width, height),
            max(scale) / max(width, height),
        )
        for new, old in zip(shortest_edge_size(width, height, scale), (width, height)):
            assert abs(new - max(1, factor * old)) <= 0.5 + 1e-6

    @PROFILE
    @given(width=long_sides, height=long_sides, scale=bounds)
    def test_an_image_on_its_side_gives_the_size_on_its_side(
        self, width, height, scale
    ):
        size = shortest_edge_size(width, height, scale)
        assert shortest_edge_size(height, width, scale) == size[::-1]

    @PROFILE
    @given(width=long_sides, height=long_sides, scale=bounds)
    def test_the_bounds_may_come_in_any_order(self, width, height, scale):
        size = shortest_edge_size(width, height, scale)
        assert shortest_edge_size(width, height, scale[::-1]) == size


class TestResize:
    @pytest.mark.parametrize('backend', ['cv2', 'pillow'])
    @pytest.mark.parametrize('shape', [(1, 5000), (5000, 1), (20, 20_000), (1, 1)])
    def test_thin_images_keep_a_pixel(self, backend, shape):
        results = resize(
            images(*shape), scale=(133, 80), keep_ratio=True, backend=backend
        )
        height, width = results['img_shape']
        assert results['img'].shape == (height, width, 3)
        assert 1 <= min(height, width) <= 80 and max(height, width) <= 133

    @PROFILE
    @given(before=samples(), scale=scales, keep=st.booleans(), backend=backends)
    def test_says_the_size_and_the_factors_of_the_image(
        self, before, scale, keep, backend
    ):
        after = resize(before, scale=scale, keep_ratio=keep, backend=backend)
        old, new = np.array(before['img_shape']), np.array(after['img_shape'])
        assert after['img'].shape[:2] == after['gt_masks'].masks.shape[1:] == tuple(new)
        np.testing.assert_allclose(old * after['scale_factor'][::-1], new)

    @PROFILE
    @given(before=samples(), scale=scales, keep=st.booleans())
    def test_a_keypoint_stays_where_it_is_in_its_box(self, before, scale, keep):
        after = resize(before, scale=scale, keep_ratio=keep, clip_object_border=False)
        old_points, old_low, old_high = in_edge_frame(before)
        points, low, high = in_edge_frame(after)
        # The place in the box is (point - low) / (high - low), before as after.
        factors = np.array(after['scale_factor'])
        assert_close(high - low, (old_high - old_low) * factors)
        assert_close(points - low, (old_points - old_low) * factors)

    @PROFILE
    @given(before=samples(), scale=scales, keep=st.booleans())
    def test_a_place_in_the_image_stays_that_place(self, before, scale, keep):
        after = resize(before, scale=scale, keep_ratio=keep, clip_object_border=False)
        old, new = (np.array(r['img_shape'][::-1]) for r in (before, after))
        for there, here in zip(in_edge_frame(after), in_edge_frame(before)):
            assert_close(there / new, here / old)

    @PROFILE
    @given(before=samples(), scale=scales, keep=st.booleans())
    def test_boxes_are_clipped_to_the_image(self, before, scale, keep):
        after = resize(before, scale=scale, keep_ratio=keep)
        height, width = after['img_shape']
        assert (after['bbox'] >= 0).all()
        assert (after['bbox'] <= [width, height, width, height]).all()

    @PROFILE
    @given(before=samples(beyond=0), scale=scales, keep=st.booleans())
    def test_clipping_leaves_boxes_in_the_image(self, before, scale, keep):
        after = resize(before, scale=scale, keep_ratio=keep)
        unclipped = resize(
            before, scale=scale, keep_ratio=keep, clip_object_border=False
        )
        assert_close(after['bbox'], unclipped['bbox'])

    @PROFILE
    @given(before=samples(), scale=scales, keep=st.booleans())
    def test_leaves_the_arrays_it_got(self, before, scale, keep):
        copies = {key: np.copy(before[key]) for key in ('img', 'bbox', 'keypoints')}
        resize(before, scale=scale, keep_ratio=keep)
        for key, copy in copies.items():
            np.testing.assert_array_equal(before[key], copy)

    @PROFILE
    @example(height=1, width=1, factor=0.25)
    @given(height=sides, width=sides, factor=st.floats(0.01, 2))
    def test_a_factor_resizes_each_side_and_leaves_a_pixel(self, height, width, factor):
        shape = resize(images(height, width), scale_factor=factor)['img_shape']
        for new, old in zip(shape, (height, width)):
            assert abs(new - max(1, old * factor)) <= 0.5 + 1e-6

    @PROFILE
    @example(height=1, width=20, factor=0.25)
    @given(height=sides, width=sides, factor=st.floats(0.01, 2))
    def test_a_factor_resizes_each_side_where_proportions_are_kept(
        self, height, width, factor
    ):
        shape = resize(images(height, width), scale_factor=factor, keep_ratio=True)
        for new, old in zip(shape['img_shape'], (height, width)):
            assert abs(new - max(1, old * factor)) <= 0.5 + 1e-6


class TestResizeAndFlip:
    @PROFILE
    @given(
        before=samples(),
        direction=directions,
        scale=scales,
        keep=st.booleans(),
        clip=st.booleans(),
    )
    def test_order_does_not_matter(self, before, direction, scale, keep, clip):
        options = dict(scale=scale, keep_ratio=keep, clip_object_border=clip)
        one = flip(resize(before, **options), direction)
        other = resize(flip(before, direction), **options)
        assert one['img_shape'] == other['img_shape']
        for key in ('bbox', 'keypoints', 'keypoints_visible'):
            assert_close(one[key], other[key])
