# Copyright (c) onestage_pose contributors.
"""Suppression in many sets at once keeps what suppression of each set keeps."""

from onestage_pose.ops import batched_nms as module

import pytest
import torch
from torchvision.ops import nms

WAYS = [module.nms_one_by_one, module.nms_by_rounds]
THRESHOLD = 0.5


def crowded_sets(seed, sets=5, number=40):
    """Overlapping boxes with equal scores among them, and padding."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(sets, number, 2, generator=generator) * 40
    size = 10 + torch.rand(sets, number, 2, generator=generator) * 20
    scores = torch.randint(12, (sets, number), generator=generator) / 4 - 1
    valid = torch.rand(sets, number, generator=generator) < 0.8
    valid[0] = False
    return torch.cat((corner, corner + size), -1), scores, valid


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('seed', range(3))
def test_each_set_is_suppressed_by_itself(seed, way):
    boxes, scores, valid = crowded_sets(seed)
    expected = torch.zeros_like(valid)
    for row, members in enumerate(valid):
        index = members.nonzero().squeeze(1)
        kept = nms(boxes[row, index], scores[row, index], THRESHOLD)
        expected[row, index[kept]] = True
    assert torch.equal(way(boxes, scores, valid, THRESHOLD), expected)


@pytest.mark.parametrize('way', WAYS)
def test_a_box_that_is_gone_suppresses_nothing(way):
    # each overlaps its neighbours alone: every other one stays, down the whole chain
    left = torch.arange(31.0) * 3
    boxes = torch.stack((left, 0 * left, left + 10, 0 * left + 10), -1)[None]
    scores = -left[None]
    valid = torch.ones(1, 31, dtype=torch.bool)
    kept = way(boxes, scores, valid, THRESHOLD)
    assert kept[0].nonzero().squeeze(1).tolist() == list(range(0, 31, 2))


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('shape', [(0, 5), (3, 0)])
def test_of_nothing_is_nothing(shape, way):
    valid = torch.ones(shape, dtype=torch.bool)
    kept = way(torch.zeros(*shape, 4), torch.zeros(shape), valid, THRESHOLD)
    assert kept.shape == shape


def test_sets_that_do_not_fit_at_once_go_in_parts(monkeypatch):
    boxes, scores, valid = crowded_sets(0)
    whole = module.nms_by_rounds(boxes, scores, valid, THRESHOLD)
    monkeypatch.setattr(module, 'MAX_PAIRS', 2 * 40**2)
    assert torch.equal(module.nms_by_rounds(boxes, scores, valid, THRESHOLD), whole)
