# Copyright (c) onestage_pose contributors.
import warnings

from onestage_pose.codecs import RoIHeatmap
from onestage_pose.codecs.decoders import bicubic

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.heatmap_factory import random_boxes, smooth_logits


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
        monkeypatch.setattr(bicubic, 'MAX_UPSAMPLED', dict(cpu=at_once))
        logits, boxes = smooth_logits(12, 5), random_boxes(12)
        keypoints, scores = RoIHeatmap().decode(logits, boxes)
        expected_keypoints, expected_scores = decode_one_by_one(logits, boxes)
        torch.testing.assert_close(keypoints, expected_keypoints, rtol=0, atol=2e-3)
        torch.testing.assert_close(scores, expected_scores, rtol=1e-4, atol=1e-6)

    def test_few_people_are_upsampled_at_once_where_memory_is_scarce(self, monkeypatch):
        held = []
        one_batch = bicubic.bicubic_maximum

        def count(logits, pixels, width, height):
            held.append((len(logits), len(logits) * 3 * width * height))
            return one_batch(logits, pixels, width, height)

        monkeypatch.setattr(bicubic, 'MAX_UPSAMPLED', dict(cpu=100_000))
        monkeypatch.setattr(bicubic, 'bicubic_maximum', count)
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
        weights = bicubic.bicubic_weights(56, torch.tensor([size]), size)[0]
        expected = F.interpolate(
            torch.eye(56)[None, None], (size, 56), mode='bicubic', align_corners=False
        )[0, 0]
        torch.testing.assert_close(weights, expected, rtol=0, atol=1e-4)

    def test_the_traced_way_agrees(self):
        logits = smooth_logits(12, 5)
        sizes = 0.5 + 300 * torch.rand(12, 2)
        plain = bicubic.decode_bicubic(logits, sizes, None)
        traced = bicubic.trace_bicubic_maximum(logits, sizes.ceil().long())
        torch.testing.assert_close(traced, plain, rtol=1e-4, atol=1e-4)


def test_deprecation_of_torchscript_is_not_the_users_concern(monkeypatch):
    def deprecated(function):
        warnings.warn('use something else', FutureWarning, stacklevel=2)
        return function

    monkeypatch.setattr(torch.jit, 'script', deprecated)
    bicubic._compiled_maximum.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        compiled = bicubic._compiled_maximum()
    bicubic._compiled_maximum.cache_clear()

    assert compiled is bicubic._maximum_of_each
