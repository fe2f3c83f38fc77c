# Copyright (c) onestage_pose contributors.
from onestage_pose.models import GaussianCrossEntropyLoss

import pytest
import torch
import torch.nn.functional as F

WIDTH, HEIGHT = 6, 4


@pytest.fixture
def keypoints():
    """Logits of three keypoints and their bins; the last is at the border."""
    logits = torch.randn(3, HEIGHT * WIDTH, dtype=torch.float64, requires_grad=True)
    return logits, torch.tensor([8, 14, 23])


def by_loops(logits, labels, sigma):
    total = 0.0
    for row, label in zip(logits, labels.tolist()):
        target = torch.zeros(HEIGHT, WIDTH, dtype=torch.float64)
        for y in range(HEIGHT):
            for x in range(WIDTH):
                far = (y - label // WIDTH) ** 2 + (x - label % WIDTH) ** 2
                target[y, x] = torch.tensor(-far / (2 * sigma**2)).exp()
        target /= target.sum()
        total = total - (target.flatten() * row.log_softmax(0)).sum()
    return total / len(labels)


@pytest.mark.parametrize('sigma', [0.5, 1.0, 2.0])
def test_equals_explicit_loops(keypoints, sigma):
    loss = GaussianCrossEntropyLoss((WIDTH, HEIGHT), sigma)(*keypoints)
    torch.testing.assert_close(
        loss, by_loops(*keypoints, sigma).float(), rtol=1e-5, atol=1e-6
    )


def test_a_narrow_gaussian_is_the_ordinary_cross_entropy(keypoints):
    loss = GaussianCrossEntropyLoss((WIDTH, HEIGHT), 1e-3)(*keypoints)
    torch.testing.assert_close(loss, F.cross_entropy(*keypoints).float())


def test_is_least_where_the_logits_are_the_gaussian(keypoints):
    _, labels = keypoints
    place = torch.arange(HEIGHT * WIDTH)
    far = (place // WIDTH - labels[:, None] // WIDTH) ** 2 + (
        place % WIDTH - labels[:, None] % WIDTH
    ) ** 2
    logits = (-0.5 * far.double()).requires_grad_()
    GaussianCrossEntropyLoss((WIDTH, HEIGHT), 1.0)(logits, labels).backward()
    assert logits.grad.abs().max() < 1e-6


def test_loss_weight(keypoints):
    once = GaussianCrossEntropyLoss((WIDTH, HEIGHT))(*keypoints)
    twice = GaussianCrossEntropyLoss((WIDTH, HEIGHT), loss_weight=2.0)(*keypoints)
    torch.testing.assert_close(twice, 2 * once)


@pytest.mark.parametrize('autocast', [False, True])
def test_half_precision_logits_are_summed_in_float32(autocast):
    logits = torch.randn(4, HEIGHT * WIDTH).half()
    labels = torch.arange(4)
    loss = GaussianCrossEntropyLoss((WIDTH, HEIGHT))
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        found = loss(logits, labels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss(logits.float(), labels))


def test_wrong_options_are_refused(keypoints):
    with pytest.raises(ValueError, match='sigma=0 must be positive'):
        GaussianCrossEntropyLoss(sigma=0)
    with pytest.raises(ValueError, match=r'\[56, 56\] but got 24 bins'):
        GaussianCrossEntropyLoss()(*keypoints)
