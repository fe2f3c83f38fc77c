# Copyright (c) onestage_pose contributors.
"""A TensorFlow graph's layers get the names of this project's backbone."""

import json

from onestage_pose.checkpoints.converters import read_movenet
from onestage_pose.models import MoveNet
from onestage_pose.utils.errors import ConversionError

import pytest
import torch

from tests.movenet_graph import MoveNetGraph


@pytest.fixture
def graph(tmp_path):
    return MoveNetGraph(tmp_path)


def test_every_layer_gets_its_own_name_and_axes(graph):
    found = read_movenet(graph.path)

    assert found.keys() == graph.weights.keys()
    assert all(torch.equal(found[name], graph.weights[name]) for name in found)


def test_the_backbone_reads_them_without_the_parts_it_lacks(tmp_path, graph):
    torch.save(read_movenet(graph.path), tmp_path / 'new.pth')
    # without the widest layer and the pose maps, too
    backbone = MoveNet(
        'multipose',
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'new.pth')),
    )
    backbone.init_weights()

    for name, value in backbone.state_dict().items():
        assert torch.equal(value, graph.weights[name].float()), name


def test_a_missing_file_of_weights_is_named(tmp_path, graph):
    (tmp_path / 'b.bin').unlink()

    with pytest.raises(ConversionError, match=r'b\.bin'):
        read_movenet(graph.path)


@pytest.mark.parametrize('place', ['../b.bin', '{outside}/b.bin', 'x/../../b.bin'])
def test_weights_that_do_not_lie_beside_it_are_not_read(tmp_path, place):
    folder = tmp_path / 'model'
    (folder / 'x').mkdir(parents=True)
    graph = MoveNetGraph(folder)
    (folder / 'b.bin').rename(tmp_path / 'b.bin')
    content = json.loads(graph.path.read_text())
    place = place.format(outside=tmp_path)
    content['weightsManifest'][0]['paths'] = ['a.bin', place]
    graph.path.write_text(json.dumps(content))

    with pytest.raises(ConversionError, match=r'b\.bin as its weights, which does not'):
        read_movenet(graph.path)


def test_weights_that_end_too_early_are_refused(tmp_path, graph):
    file = tmp_path / 'b.bin'
    file.write_bytes(file.read_bytes()[:-2])

    with pytest.raises(ConversionError, match='weights end before'):
        read_movenet(graph.path)


def test_weights_that_are_left_are_refused(tmp_path, graph):
    file = tmp_path / 'b.bin'
    file.write_bytes(file.read_bytes() + b'12')

    with pytest.raises(ConversionError, match='2 bytes of weights are left'):
        read_movenet(graph.path)


def test_weights_stored_with_a_scale_are_refused(graph):
    graph.manifest[0]['quantization'] = dict(dtype='uint8', scale=0.1, min=0)
    graph.save()

    with pytest.raises(ConversionError, match='stored as uint8 with a scale'):
        read_movenet(graph.path)


@pytest.mark.parametrize('shape', [[-1, 3], [3.0], ['3'], [True, 3]], ids=str)
def test_a_shape_that_is_none_is_named(graph, shape):
    graph.manifest[0]['shape'] = shape
    graph.save()

    with pytest.raises(ConversionError, match=r'model\.json: .* has shape='):
        read_movenet(graph.path)


@pytest.mark.parametrize(
    'change',
    [dict(shape=3), dict(shape=[2**40, 2**40]), dict(dtype='string')],
    ids=str,
)
def test_a_list_of_weights_that_is_none_is_named(graph, change):
    graph.manifest[0].update(change, quantization={})
    graph.save()

    with pytest.raises(ConversionError, match=r'model\.json: '):
        read_movenet(graph.path)


def test_another_network_is_refused(graph):
    graph.nodes[1]['name'] = 'Call/other/layer'
    graph.save()

    with pytest.raises(
        ConversionError, match='Call/other/layer is not a layer of MoveNet'
    ):
        read_movenet(graph.path)


def test_a_layer_that_is_there_twice_is_refused(graph):
    graph.nodes.append(graph.nodes[1])
    graph.save()

    with pytest.raises(ConversionError, match='is stem a second time'):
        read_movenet(graph.path)


@pytest.mark.parametrize('content', ['no json', '{"modelTopology": {}}', '[]'])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / 'model.json'
    path.write_text(content)

    with pytest.raises(ConversionError, match=r'model\.json is not a TensorFlow.js'):
        read_movenet(path)
