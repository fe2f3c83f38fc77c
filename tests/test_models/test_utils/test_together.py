# Copyright (c) onestage_pose contributors.
"""Instances of all images in one tensor."""

from onestage_pose.models.utils import together

import pytest
import torch
from mmdet.structures.bbox import bbox2roi


def test_rois_are_mmdets():
    boxes = [torch.rand(number, 4) for number in (2, 0, 3)]
    assert torch.equal(together.to_rois(boxes), bbox2roi(boxes))


def test_boxes_are_cut_off_at_the_border_of_their_own_image():
    boxes = torch.tensor([[[-1.0, 2, 30, 30]]] * 2)
    metas = [dict(img_shape=(20, 10)), dict(img_shape=(8, 40))]
    expected = [[[0, 2, 10, 20]], [[0, 2, 30, 8]]]
    assert together.clip_boxes(boxes, metas).tolist() == expected


@pytest.mark.parametrize('numbers', [[2, 0, 3], [2, 2]])
def test_padding_keeps_the_instances_of_each_image_in_order(numbers):
    values = torch.arange(sum(numbers))
    valid, padded = together.pad_together(numbers, values)
    rows = [row[members].tolist() for row, members in zip(padded, valid)]
    assert rows == [each.tolist() for each in values.split(numbers)]


@pytest.mark.parametrize(
    ('most', 'expected'), [(2, [2, 0, 5]), (0, [2, 0, 1, 5]), (9, [2, 0, 1, 5])]
)
def test_the_best_of_each_image_are_chosen_the_first_of_equals_first(most, expected):
    kept = torch.tensor([[True, True, True], [False, False, True]])
    scores = torch.tensor([[0.5, 0.5, 0.9], [0.8, 0.7, 0.1]])
    index, numbers = together.best_of_each(kept, scores, most)
    assert index.tolist() == expected and numbers == [len(expected) - 1, 1]


@pytest.mark.parametrize(
    ('cfg', 'plain'),
    [
        (dict(type='nms', iou_threshold=0.5), True),
        (dict(iou_threshold=0.5), True),
        (dict(type='soft_nms', iou_threshold=0.5), False),
        (dict(type='nms', iou_threshold=0.5, max_num=3), False),
    ],
)
def test_only_greedy_suppression_is_plain(cfg, plain):
    assert together.is_plain_nms(cfg) == plain
