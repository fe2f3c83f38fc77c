# Copyright (c) onestage_pose contributors.
from onestage_pose.datasets import PoseResize
from onestage_pose.datasets.transforms.pose_resize import (
    shortest_edge_size,
    torchvision_size,
)

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import DefaultScope
from mmpose.registry import TRANSFORMS
from torchvision.models.detection.transform import GeneralizedRCNNTransform


def sample(height=60, width=90, dtype=np.uint8):
    """A grey image with one person and a white spot on their first keypoint."""
    img = np.full((height, width, 3), 20, dtype)
    img[20:25, 30:37] = 220
    return dict(
        img=img,
        img_shape=(height, width),
        bbox=np.array([[30, 20, 37, 25]], np.float32),
        keypoints=np.array([[[33, 22], [0, 0]]], np.float32),
    )


def spot(img):
    """Centre of the white spot: x, y with the centre of the first pixel at 0, 0."""
    weight = img[..., 0].astype(np.float64)
    weight -= weight.min()
    y, x = np.mgrid[: img.shape[0], : img.shape[1]]
    return (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((640, 480), (1067, 800)),
        ((480, 640), (800, 1067)),
        ((500, 1200), (555, 1333)),
        ((1200, 500), (1333, 555)),
        ((800, 800), (800, 800)),
        ((1, 5000), (1, 1333)),
    ],
)
def test_the_size_is_that_of_resize_shortest_edge(size, expected):
    assert shortest_edge_size(*size, (1333, 800)) == expected


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('scale', [(30, 20), (180, 120), (250, 140)])
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_a_keypoint_stays_on_what_it_marks(backend, scale, dtype):
    resize = PoseResize(scale=scale, keep_ratio=True, backend=backend)
    results = resize.transform(sample(dtype=dtype))
    np.testing.assert_allclose(
        results['keypoints'][0, 0], spot(results['img']), atol=0.2
    )


def test_boxes_scale_by_their_edges():
    results = PoseResize(scale=(180, 60), keep_ratio=False).transform(sample())
    np.testing.assert_allclose(results['bbox'], [[60, 20, 74, 25]])


def test_a_keypoint_scales_from_the_centre_of_the_first_pixel():
    results = PoseResize(scale=(180, 120), keep_ratio=True).transform(sample())
    np.testing.assert_allclose(results['keypoints'][0], [[66.5, 44.5], [0.5, 0.5]])


def test_the_factors_are_those_of_the_rounded_size():
    results = PoseResize(scale=(1333, 800), keep_ratio=True).transform(sample(427, 640))
    assert results['img_shape'] == results['img'].shape[:2] == (800, 1199)
    assert results['scale_factor'] == (1199 / 640, 800 / 427)


def test_boxes_are_clipped_to_the_image_and_keypoints_are_not():
    results = dict(
        sample(),
        bbox=np.array([[-5, -5, 95, 65]], np.float32),
        keypoints=np.array([[[-5, 70]]], np.float32),
    )
    results = PoseResize(scale=(180, 120), keep_ratio=True).transform(results)
    np.testing.assert_allclose(results['bbox'], [[0, 0, 180, 120]])
    np.testing.assert_allclose(results['keypoints'], [[[-9.5, 140.5]]])


def test_types_stay():
    results = PoseResize(scale=(180, 120), keep_ratio=True).transform(sample())
    names = {key: results[key].dtype.name for key in ('img', 'bbox', 'keypoints')}
    assert names == dict(img='uint8', bbox='float32', keypoints='float32')


def test_masks_take_the_size_of_the_image():
    masks = BitmapMasks([np.ones((60, 90), np.uint8)], 60, 90)
    results = PoseResize(scale=(180, 120), keep_ratio=True).transform(
        dict(sample(), gt_masks=masks)
    )
    assert results['gt_masks'].masks.shape == (1, 120, 180)


def test_image_only_leaves_the_annotations_alone():
    before = sample()
    resize = PoseResize(scale=(180, 120), keep_ratio=True, image_only=True)
    results = resize.transform(dict(before))
    assert results['img_shape'] == (120, 180)
    np.testing.assert_array_equal(results['bbox'], before['bbox'])
    np.testing.assert_array_equal(results['keypoints'], before['keypoints'])


def test_nobody_stays_nobody():
    results = PoseResize(scale=(180, 120), keep_ratio=True).transform(
        dict(
            sample(),
            bbox=np.zeros((0, 4), np.float32),
            keypoints=np.zeros((0, 2, 2), np.float32),
        )
    )
    assert results['bbox'].shape == (0, 4)
    assert results['keypoints'].shape == (0, 2, 2)


def test_an_image_alone_is_resized():
    img = np.zeros((60, 90, 3), np.uint8)
    results = PoseResize(scale=(180, 120), keep_ratio=True).transform(dict(img=img))
    assert results['img'].shape == (120, 180, 3)


def test_pillow_smooths_what_it_shrinks():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    resize = PoseResize(scale=(16, 16), backend='pillow')
    assert resize.transform(dict(img=stripes))['img'].std() < 12


def test_it_serves_mmcvs_choice_of_scales():
    with DefaultScope.overwrite_default_scope('mmpose'):
        resize = TRANSFORMS.build(
            dict(
                type='RandomChoiceResize',
                scales=[(1333, 640), (1333, 800)],
                resize_type='PoseResize',
                keep_ratio=True,
                backend='pillow',
            )
        )
    np.random.seed(0)
    shorter = {min(resize(sample())['img_shape']) for _ in range(20)}
    assert shorter == {640, 800}


class TestRoundDown:
    @pytest.mark.parametrize(
        'size', [(48, 64), (33, 50), (101, 45), (30, 120), (63, 82), (77, 77)]
    )
    def test_is_what_torchvision_does(self, size):
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        theirs = GeneralizedRCNNTransform(80, 133, [0.0] * 3, [1.0] * 3)
        tensor = torch.from_numpy(image).permute(2, 0, 1).float()
        expected, _ = theirs.eval().resize(tensor)

        resize = PoseResize(scale=(133, 80), keep_ratio=True, round_down=True)
        result = resize(dict(img=image.astype(np.float32)))

        assert result['img_shape'] == tuple(expected.shape[1:])
        found = result['img'].transpose(2, 0, 1)
        np.testing.assert_allclose(found, expected.numpy(), atol=0.02)

    def test_sides_are_cut_off_in_torchvisions_order(self):
        theirs = GeneralizedRCNNTransform(80, 133, [0.0] * 3, [1.0] * 3).eval()
        sizes = [(height, 2 * height + 7) for height in range(20, 140)]
        expected = [theirs.resize(torch.zeros(1, *s))[0].shape[1:] for s in sizes]

        found = [torchvision_size(w, h, (133, 80))[::-1] for h, w in sizes]

        assert found == [tuple(each) for each in expected]
