# Copyright (c) onestage_pose contributors.
"""torchvision's arrays get this project's names and order of classes, and back."""

import re

from onestage_pose.checkpoints.converters import from_torchvision, to_torchvision
from onestage_pose.utils import get_config_path
from onestage_pose.utils.errors import ConversionError

import pytest
import torch
from mmengine.config import Config
from torchvision.models.detection import keypointrcnn_resnet50_fpn

from tests.model_factory import build_as_runner

CONFIG = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_torchvision_coco.py'
BOX = 'roi_heads.box_predictor.'
ROWS = {'cls_score': 2, 'bbox_pred': 8}


@pytest.fixture(scope='module')
def shapes():
    """Shapes of torchvision's own arrays, by name."""
    with torch.device('meta'):
        model = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    return {name: array.shape for name, array in model.state_dict().items()}


@pytest.fixture
def arrays(shapes):
    """Arrays of these names: of 3 numbers, or of as many rows as there are classes."""
    return {
        name: torch.randn(ROWS.get(name.removeprefix(BOX).split('.')[0], 3), 2)
        if name.startswith(BOX)
        else torch.randn(3)
        for name in shapes
    }


def test_every_array_of_the_model_is_found_with_its_shape(shapes):
    theirs = {name: torch.empty(shape, device='meta') for name, shape in shapes.items()}
    cfg = Config.fromfile(get_config_path(CONFIG))
    with torch.device('meta'):
        ours = build_as_runner(cfg.model).state_dict()

    found = from_torchvision(theirs).weights

    assert {name: array.shape for name, array in found.items()} == {
        name: array.shape for name, array in ours.items()
    }


def test_the_person_comes_first_and_the_background_last(arrays):
    weights = from_torchvision(arrays).weights

    background, person = arrays[f'{BOX}cls_score.weight']
    assert torch.equal(
        weights['roi_head.bbox_head.fc_cls.weight'], torch.stack((person, background))
    )


def test_box_deltas_are_those_of_the_person(arrays):
    renamed = from_torchvision(arrays)

    theirs = arrays[f'{BOX}bbox_pred.bias']
    assert torch.equal(renamed.weights['roi_head.bbox_head.fc_reg.bias'], theirs[4:])
    assert f'{BOX}bbox_pred.bias of the background' in renamed.left_out


def test_back_again_all_but_the_background_is_the_same(arrays):
    back = to_torchvision(from_torchvision(arrays).weights).weights

    expected = {k: v for k, v in arrays.items() if not k.endswith('_tracked')}
    for leaf in ('weight', 'bias'):
        expected[f'{BOX}bbox_pred.{leaf}'][:4] = 0
    assert back.keys() == expected.keys()
    assert all(torch.equal(back[name], expected[name]) for name in expected)


def test_names_of_the_published_files_are_known(arrays):
    old = {
        re.sub(r'(rpn\.head\.conv)\.0\.0|(blocks\.\d)\.0', r'\1\2', name): array
        for name, array in arrays.items()
    }
    assert 'rpn.head.conv.weight' in old
    assert 'backbone.fpn.inner_blocks.0.weight' in old

    found, expected = from_torchvision(old).weights, from_torchvision(arrays).weights

    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_missing_array_is_named(arrays):
    del arrays['roi_heads.box_head.fc6.bias']

    with pytest.raises(ConversionError, match='1 .*fc6.bias. missing'):
        from_torchvision(arrays)


def test_a_model_of_more_classes_is_refused(arrays):
    arrays[f'{BOX}cls_score.weight'] = torch.randn(91, 2)

    with pytest.raises(ConversionError, match='91 rows: it tells other classes apart'):
        from_torchvision(arrays)
