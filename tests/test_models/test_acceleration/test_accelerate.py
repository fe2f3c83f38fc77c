# Copyright (c) onestage_pose contributors.
from onestage_pose.models.acceleration import (
    FoldedNorm,
    WinogradConv2d,
    accelerate,
    use_channels_last,
)

import numpy as np
import pytest
import torch
from torch import nn

from tests.model_factory import make_picture, make_sample, predict, tiny_model

FROZEN = dict(backbone__norm_cfg=dict(type='mmdet.FrozenBN'))


@pytest.fixture(autouse=True)
def no_thresholds(monkeypatch):
    monkeypatch.setattr(WinogradConv2d, 'MIN_CHANNELS', 1)
    monkeypatch.setattr(WinogradConv2d, 'MIN_NUMEL', 1)


def fast_layers(model):
    kinds = WinogradConv2d, FoldedNorm
    return sum(isinstance(module, kinds) for module in model.modules())


def test_building_and_training_leave_every_layer_as_it_is():
    model = tiny_model(test_cfg__winograd=True, **FROZEN)
    assert fast_layers(model.train()) == 0


def test_the_plain_and_the_accelerated_model_find_the_same():
    plain, fast = (
        predict(
            tiny_model(test_cfg__winograd=on, test_cfg__folded_norms=on, **FROZEN),
            [make_picture(64, 96)],
            [make_sample((64, 96))],
        )[0].pred_instances
        for on in (False, True)
    )
    for name in ('bboxes', 'bbox_scores', 'keypoint_scores'):
        np.testing.assert_allclose(fast[name], plain[name], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('on', [False, True])
def test_prediction_accelerates_unless_it_is_switched_off(on):
    model = tiny_model(test_cfg__winograd=on, test_cfg__folded_norms=on, **FROZEN)
    assert bool(fast_layers(model.eval())) == on


def test_parameters_and_their_names_stay():
    model = tiny_model(**FROZEN)
    names, parameters = list(model.state_dict()), list(model.parameters())
    accelerate(model, winograd=True)
    assert list(model.state_dict()) == names
    assert all(a is b for a, b in zip(model.parameters(), parameters))


def test_twice_is_as_once():
    model = accelerate(tiny_model(**FROZEN), winograd=True)
    kinds = [type(module) for module in model.modules()]
    accelerate(model, winograd=True)
    assert [type(module) for module in model.modules()] == kinds


def test_hooks_stay():
    model, seen = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1)), []
    model[0].register_forward_hook(lambda *args: seen.append(1))
    accelerate(model, winograd=True)
    model(torch.zeros(1, 4, 5, 5))
    assert isinstance(model[0], WinogradConv2d) and seen == [1]


def test_a_shared_convolution_stays_shared():
    conv = nn.Conv2d(4, 4, 3, padding=1)
    model = accelerate(nn.Sequential(conv, nn.ReLU(), conv), winograd=True)
    assert model[0] is model[2] and isinstance(model[0], WinogradConv2d)


@pytest.mark.parametrize('learns', [False, True])
def test_channels_are_last_where_nothing_is_learned(learns):
    with torch.set_grad_enabled(learns):
        made = use_channels_last(torch.zeros(2, 3, 4, 5))
    assert made.is_contiguous(memory_format=torch.channels_last) != learns
