# Copyright (c) onestage_pose contributors.
from onestage_pose.datasets import PoseRandomFlip

import numpy as np
import pytest
from mmdet.structures.mask import BitmapMasks


def sample():
    """One person with a left and a right hand; their box is painted white."""
    img = np.zeros((40, 60, 3), np.uint8)
    img[10:20, 5:25] = 255
    return dict(
        img=img,
        img_shape=(40, 60),
        flip_indices=[0, 2, 1],
        bbox=np.array([[5, 10, 25, 20]], np.float32),
        keypoints=np.array([[[10, 12], [6, 15], [20, 18]]], np.float32),
        keypoints_visible=np.array([[1, 1, 0]], np.float32),
    )


def flipped(direction='horizontal', **changes):
    return PoseRandomFlip(prob=1.0, direction=direction).transform(
        dict(sample(), **changes)
    )


def painted_box(img):
    rows, columns = np.nonzero(img[..., 0])
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_a_box_stays_on_what_it_bounds(direction):
    results = flipped(direction)
    np.testing.assert_allclose(results['bbox'][0], painted_box(results['img']))


def test_a_keypoint_mirrors_about_the_middle_of_the_pixels():
    np.testing.assert_allclose(flipped()['keypoints'][0, 0], [60 - 1 - 10, 12])


def test_left_and_right_change_their_names():
    results = flipped()
    np.testing.assert_allclose(results['keypoints'][0, 1:], [[39, 18], [53, 15]])
    assert results['keypoints_visible'].tolist() == [[1, 0, 1]]


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_two_flips_give_the_original(direction):
    flip = PoseRandomFlip(prob=1.0, direction=direction)
    before, after = sample(), flip.transform(flip.transform(sample()))
    for key in ('img', 'bbox', 'keypoints', 'keypoints_visible'):
        np.testing.assert_array_equal(before[key], after[key])
        assert before[key].dtype == after[key].dtype


def test_masks_flip_too():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 5:25] = 1
    masks = flipped(gt_masks=BitmapMasks([mask], 40, 60))['gt_masks']
    np.testing.assert_array_equal(masks.masks[0], mask[:, ::-1])


def test_without_a_flip_nothing_changes():
    results = PoseRandomFlip(prob=0.0).transform(sample())
    assert results['flip'] is False
    np.testing.assert_array_equal(results['bbox'], sample()['bbox'])


def test_nobody_stays_nobody():
    results = flipped(
        bbox=np.zeros((0, 4), np.float32),
        keypoints=np.zeros((0, 3, 2), np.float32),
        keypoints_visible=np.zeros((0, 3), np.float32),
    )
    assert results['bbox'].shape == (0, 4)
    assert results['keypoints'].shape == (0, 3, 2)


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_visibility_stays_with_its_keypoint(direction):
    targets = np.array([[[1, 1], [1, 0], [0, -1]]], np.int8)
    results = flipped(direction, visibility_targets=targets)
    labelled = results['keypoints_visible'][0] > 0
    assert (results['visibility_targets'][0, :, 0] > 0).tolist() == labelled.tolist()
