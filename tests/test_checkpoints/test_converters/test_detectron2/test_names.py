# Copyright (c) onestage_pose contributors.
"""Every array of a Detectron2 checkpoint has one place here, and the other way."""

import json

from onestage_pose.checkpoints.converters import DetectronNames

import pytest

from tests.detectron2_arrays import FULL, GCM_HEAD, R50, R101, detectron2_shapes

GCM, BASELINE = (detectron2_shapes(gcm, **FULL) for gcm in (True, False))


@pytest.mark.parametrize('gcm', [True, False], ids=['gcm', 'baseline'])
@pytest.mark.parametrize('blocks', [R50, R101], ids=['r50', 'r101'])
class TestPairs:
    def test_are_all_arrays_of_detectron2(self, gcm, blocks):
        shapes = detectron2_shapes(gcm, blocks, **FULL)
        pairs = list(DetectronNames.of_detectron2(shapes).pairs())
        assert sorted(theirs for theirs, _ in pairs) == sorted(shapes)

    def test_lead_back(self, gcm, blocks):
        names = DetectronNames.of_detectron2(detectron2_shapes(gcm, blocks, **FULL))
        ours = [ours for _, ours in names.pairs()]
        assert len(set(ours)) == len(ours) and DetectronNames.of_mmpose(ours) == names


@pytest.mark.parametrize('arch', ['gcm', 'baseline'])
def test_names_and_shapes_here_are_those_of_the_original_programs(arch, shared_dir):
    path = shared_dir / 'parity' / f'{arch}_r50.shapes.json'
    golden = {
        name: tuple(shape) for name, shape in json.loads(path.read_text()).items()
    }
    assert detectron2_shapes(arch == 'gcm', **FULL) == golden


def test_head_layers_are_put_in_the_order_in_which_they_run():
    names = DetectronNames.of_detectron2(reversed(GCM))
    assert names.head == ('conv_channel', *GCM_HEAD)


def test_deeper_and_longer_models_are_told_by_their_names():
    ours = [f'backbone.layer{i}.{i}.conv1.weight' for i in range(1, 5)]
    names = DetectronNames.of_mmpose(ours)
    assert names.blocks == (2, 3, 4, 5) and names.depth == 44


@pytest.mark.parametrize(('shapes', 'expected'), [(GCM, True), (BASELINE, False)])
def test_the_two_methods_are_told_apart(shapes, expected):
    assert DetectronNames.of_detectron2(shapes).has_context is expected


@pytest.mark.parametrize(
    ('theirs', 'ours'),
    [
        ('backbone.bottom_up.stem.conv1.norm.running_var', 'backbone.bn1.running_var'),
        (
            'backbone.bottom_up.res2.0.shortcut.norm.bias',
            'backbone.layer1.0.downsample.1.bias',
        ),
        ('backbone.bottom_up.res5.2.conv3.weight', 'backbone.layer4.2.conv3.weight'),
        ('backbone.fpn_lateral5.bias', 'neck.lateral_convs.3.conv.bias'),
        ('backbone.fpn_output2.weight', 'neck.fpn_convs.0.conv.weight'),
        (
            'roi_heads.keypoint_head.MHSA_5.MHSA.pos_emb.rel_width',
            'roi_head.keypoint_head.trunk.6.attention.rel_width',
        ),
        (
            'roi_heads.keypoint_head.conv_fcn5.bias',
            'roi_head.keypoint_head.trunk.7.conv.bias',
        ),
    ],
)
def test_examples(theirs, ours):
    assert dict(DetectronNames.of_detectron2(GCM).pairs())[theirs] == ours
