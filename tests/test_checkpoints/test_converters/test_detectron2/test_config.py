# Copyright (c) onestage_pose contributors.
"""A converted checkpoint goes with the config of its own model."""

from onestage_pose.checkpoints.converters import (
    check_against_config,
    default_config,
    from_detectron2,
)
from onestage_pose.utils.errors import ConversionError

import pytest
import torch
from mmengine.config import Config

from tests.detectron2_arrays import (
    FULL,
    R50,
    R101,
    constants,
    detectron2_shapes,
    narrow_arrays,
    narrow_config,
)


def tensors(arrays):
    return {name: torch.from_numpy(value) for name, value in arrays.items()}


@pytest.fixture
def weights():
    return from_detectron2(tensors(narrow_arrays(gcm=True))).weights


@pytest.fixture
def config(tmp_path):
    return Config.fromfile(narrow_config(tmp_path, gcm=True))


def full_weights(gcm, blocks, groups):
    """Shapes without contents."""
    shapes = detectron2_shapes(gcm, blocks, groups, **FULL)
    arrays = {name: torch.empty(s, device='meta') for name, s in shapes.items()}
    return from_detectron2(arrays).weights


@pytest.mark.parametrize(
    ('blocks', 'groups', 'backbone'),
    [(R50, 1, 'r50'), (R101, 1, 'r101'), (R101, 32, 'x101-32x8d')],
    ids=['r50', 'r101', 'x101'],
)
@pytest.mark.parametrize('gcm', [True, False], ids=['gcm', 'baseline'])
class TestPublishedModels:
    def test_have_their_own_config(self, gcm, blocks, groups, backbone):
        path = default_config(full_weights(gcm, blocks, groups))
        family = 'gcm-' if gcm else ''
        assert path.name == f'{family}keypoint-rcnn_{backbone}_fpn_3x_coco.py'

    def test_have_the_shapes_of_that_config(self, gcm, blocks, groups, backbone):
        weights = full_weights(gcm, blocks, groups)
        config = Config.fromfile(default_config(weights))
        del weights['backbone.conv1.weight']

        with pytest.raises(ConversionError) as error:
            check_against_config(weights, config)

        assert '1 (backbone.conv1.weight) missing, none of another shape' in str(
            error.value
        )


def test_other_backbones_need_a_config():
    weights = full_weights(True, (3, 8, 36, 3), 1)
    with pytest.raises(ConversionError, match=r'\(3, 8, 36, 3\) blocks.*--config'):
        default_config(weights)


def test_constants_of_the_config_are_not_named(weights, config):
    name = 'proposal_generator.anchor_generator.cell_anchors.5'
    given = tensors(constants()) | {name: torch.zeros(1)}

    with pytest.raises(ConversionError) as error:
        check_against_config(weights, config, given)

    assert [each for each in given if f'{each} ' in str(error.value)] == [name]


@pytest.mark.parametrize(
    ('name', 'setting'),
    [
        ('pixel_mean', 'model.data_preprocessor.mean'),
        ('pixel_std', 'model.data_preprocessor.std'),
        (
            'proposal_generator.anchor_generator.cell_anchors.2',
            'model.rpn_head.anchor_generator',
        ),
        ('proposal_generator.anchor_generator.cell_anchors.5', 'model'),
    ],
)
def test_other_constants_are_refused(weights, config, name, setting):
    beside = {name: torch.full((3, 1, 1), 57.0)}
    with pytest.raises(ConversionError, match=f'^{name} .* but {setting} of'):
        check_against_config(weights, config, beside)


def test_a_missing_weight_is_named(weights, config):
    del weights['neck.fpn_convs.2.conv.bias']
    with pytest.raises(ConversionError, match=r'1 \(neck.fpn_convs.2.conv.bias\) miss'):
        check_against_config(weights, config)


def test_a_weight_of_another_shape_is_named(weights, config):
    weights['rpn_head.rpn_cls.bias'] = torch.zeros(4)
    with pytest.raises(ConversionError, match='rpn_cls.bias 4 instead of 3'):
        check_against_config(weights, config)


def test_weights_of_another_method_are_refused(weights, tmp_path):
    other = Config.fromfile(narrow_config(tmp_path, gcm=False))
    with pytest.raises(ConversionError, match=r'trunk\.1\..*unexpected.*--config'):
        check_against_config(weights, other)
