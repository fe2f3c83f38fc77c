# Copyright (c) onestage_pose contributors.
"""Renaming keeps every tensor, and stops at what it does not know."""

from onestage_pose.checkpoints.converters import from_detectron2, to_detectron2
from onestage_pose.utils.errors import ConversionError

import pytest
import torch

from tests.detectron2_arrays import NARROW, constants, detectron2_shapes


@pytest.fixture(params=[True, False], ids=['gcm', 'baseline'])
def arrays(request):
    shapes = detectron2_shapes(request.param, **NARROW)
    return {name: torch.rand(shape) for name, shape in shapes.items()}


def test_tensors_are_passed_on_untouched(arrays):
    weights = from_detectron2(arrays).weights
    assert {id(tensor) for tensor in weights.values()} == set(map(id, arrays.values()))


def test_leads_back_to_the_same_names(arrays):
    back = to_detectron2(from_detectron2(arrays).weights)
    assert back.weights == arrays and not back.left_out


def test_constants_are_left_out_and_listed(arrays):
    beside = {name: torch.from_numpy(value) for name, value in constants().items()}
    renamed = from_detectron2({**beside, **arrays})
    assert renamed.left_out == beside and len(renamed.weights) == len(arrays)


def test_counters_of_a_trainable_backbone_are_left_out_and_listed(arrays):
    counter = 'backbone.layer2.0.bn1.num_batches_tracked'
    weights = {**from_detectron2(arrays).weights, counter: torch.tensor(3)}
    back = to_detectron2(weights)
    assert back.weights == arrays and list(back.left_out) == [counter]


@pytest.mark.parametrize(
    'name',
    [
        'roi_heads.mask_head.predictor.weight',
        'backbone.bottom_up.res5.2.conv3.norm.num_batches_tracked',
        'roi_heads.keypoint_head.conv_fcn9.scale',
        'proposal_generator.rpn_head.conv.0.weight',
    ],
)
def test_an_unexpected_array_is_named(arrays, name):
    arrays[name] = torch.zeros(1)
    with pytest.raises(ConversionError, match=rf'model\.pth .*1 \({name}.*unexpected'):
        from_detectron2(arrays, 'model.pth')


@pytest.mark.parametrize(
    'name', ['backbone.fpn_output3.bias', 'roi_heads.box_predictor.cls_score.weight']
)
def test_a_missing_array_is_named(arrays, name):
    del arrays[name]
    with pytest.raises(ConversionError, match=rf'1 \({name}\) missing'):
        from_detectron2(arrays)


def test_a_backbone_alone_is_not_taken_for_a_model(arrays):
    backbone = {
        name.replace('backbone.bottom_up.', ''): tensor
        for name, tensor in arrays.items()
        if name.startswith('backbone.bottom_up.')
    }
    with pytest.raises(ConversionError, match='stem.conv1.weight.* unexpected'):
        from_detectron2(backbone)


def test_an_unexpected_weight_of_this_project_is_named(arrays):
    weights = from_detectron2(arrays).weights
    weights['roi_head.mask_head.conv_logits.bias'] = torch.zeros(1)
    with pytest.raises(ConversionError, match='mask_head.conv_logits.bias.*unexpected'):
        to_detectron2(weights)
