# Copyright (c) onestage_pose contributors.
"""An ONNX file is what export_onnx writes, or is refused by name unopened."""

import json
import subprocess
import sys

from onestage_pose.utils.errors import OnnxFileError
from onestage_pose.utils.onnx_format import check_onnx

import pytest

onnx = pytest.importorskip('onnx', reason='onnx is not installed')
from onnx import TensorProto, helper  # noqa: E402

from tests.faults import fault_of  # noqa: E402

DATASET = dict(keypoint_names=['nose', 'left_eye'], skeleton=[[0, 1]])
RESIZE = dict(longer=640, shorter=384)


def elsewhere(tensor):
    """The tensor with its values in a file outside the model's folder."""
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key='location', value='../secret')
    return tensor


def small_tensor():
    return helper.make_tensor('weights', TensorProto.FLOAT, [1], [1.0])


def make_model(nodes=(), initializers=(), sparse=(), functions=(), **metadata):
    """The bytes of a graph; ``metadata`` are put to JSON, None leaves one out."""
    graph = helper.make_graph(
        [helper.make_node('Identity', ['image'], ['people']), *nodes],
        'graph',
        [helper.make_tensor_value_info('image', TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info('people', TensorProto.FLOAT, [1])],
        list(initializers),
        sparse_initializer=list(sparse),
    )
    model = helper.make_model(graph, functions=list(functions))
    for key, value in (dict(dataset_meta=DATASET, resize=RESIZE) | metadata).items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            model.metadata_props.add(key=key, value=text)
    return model.SerializeToString()


def constant(tensor):
    return helper.make_node('Constant', [], ['a'], value=tensor)


def branch(node):
    graph = helper.make_graph([node], 'then', [], [])
    return helper.make_node('If', ['image'], ['b'], then_branch=graph)


def function(node):
    return helper.make_function(
        'here', 'f', [], ['a'], [node], [helper.make_opsetid('', 17)]
    )


def sparse(tensor):
    indices = helper.make_tensor('indices', TensorProto.INT64, [1], [0])
    return helper.make_sparse_tensor(tensor, indices, [4])


def test_metadata_are_read():
    names, skeleton, resize = check_onnx(make_model(), 'm.onnx')

    assert names == ['nose', 'left_eye']
    assert skeleton == [(0, 1)]
    assert resize == (640, 384)


def test_an_image_may_be_taken_as_it_is():
    assert check_onnx(make_model(resize='null'), 'm.onnx').resize is None


def test_tensors_and_branches_within_the_file_are_taken():
    nodes = [constant(small_tensor()), branch(constant(small_tensor()))]

    model = make_model(nodes, [small_tensor()])
    assert fault_of(check_onnx, model, 'm.onnx') is None


@pytest.mark.parametrize(
    'parts',
    [
        dict(initializers=[elsewhere(small_tensor())]),
        dict(nodes=[constant(elsewhere(small_tensor()))]),
        dict(nodes=[branch(constant(elsewhere(small_tensor())))]),
        dict(functions=[function(constant(elsewhere(small_tensor())))]),
        dict(sparse=[sparse(elsewhere(small_tensor()))]),
    ],
    ids=['initializer', 'constant', 'branch', 'function', 'sparse tensor'],
)
def test_values_in_another_file_are_refused_wherever_they_stand(parts):
    with pytest.raises(OnnxFileError, match="m.onnx: .*'weights' are in another file"):
        check_onnx(make_model(**parts), 'm.onnx')


@pytest.mark.parametrize('place', [lambda node: node, branch])
def test_operators_from_elsewhere_are_refused(place):
    # this one opens the file that it names
    node = helper.make_node(
        'EPContext', [], ['a'], domain='com.microsoft', ep_cache_context='../secret'
    )

    with pytest.raises(OnnxFileError, match="'EPContext' .*of 'com.microsoft'"):
        check_onnx(make_model([place(node)]), 'm.onnx')


@pytest.mark.parametrize('key', ['dataset_meta', 'resize'])
@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'has no metadata .*export_onnx.py'),
        ('{', 'are not JSON'),
        ('[' * 100_000, 'are not JSON'),
        ('1' * 5000, 'are not JSON'),
        ('[]', 'are wrong in'),
        ('7', 'are wrong in'),
    ],
)
def test_metadata_of_another_form_are_named(key, text, message):
    with pytest.raises(OnnxFileError, match=f'm.onnx: .*{message}') as error:
        check_onnx(make_model(**{key: text}), 'm.onnx')

    assert f'{key!r}' in str(error.value)


@pytest.mark.parametrize(
    'sides',
    [
        dict(longer=10**9, shorter=10**9),
        dict(longer=10**400, shorter=1),
        dict(longer=640, shorter=0),
        dict(longer=640, shorter=-384),
        dict(longer=384, shorter=640),
        dict(longer='640', shorter=384),
        dict(longer=True, shorter=True),
        dict(longer=[640], shorter=384),
        dict(longer=float('nan'), shorter=384),
        dict(longer=float('inf'), shorter=384),
        dict(longer=640),
    ],
    ids=lambda sides: str(sides)[:40],
)
def test_sides_that_no_image_has_are_refused(sides):
    with pytest.raises(OnnxFileError, match="'resize' .*from 1 to 8192 pixels"):
        check_onnx(make_model(resize=sides), 'm.onnx')


@pytest.mark.parametrize(
    'skeleton',
    [[[0, 2]], [[-1, 0]], [[0]], [[0, 1, 1]], [[0, '1']], [[0, True]], [0], 'ab', {}],
    ids=str,
)
def test_links_to_keypoints_that_there_are_not_are_refused(skeleton):
    dataset = {**DATASET, 'skeleton': skeleton}

    with pytest.raises(OnnxFileError, match='skeleton; .*indices from 0 to 1'):
        check_onnx(make_model(dataset_meta=dataset), 'm.onnx')


@pytest.mark.parametrize('names', [[], 'nose', [1, 2], None, {'nose': 0}], ids=str)
def test_names_that_are_no_list_of_texts_are_refused(names):
    dataset = {**DATASET, 'keypoint_names': names}

    with pytest.raises(OnnxFileError, match='keypoint_names; .*a list of names'):
        check_onnx(make_model(dataset_meta=dataset), 'm.onnx')


@pytest.mark.parametrize(
    'content',
    [
        make_model()[:-1],
        b'no model',
        # the other form that ONNX Runtime knows, which is not looked into here
        make_model()[:4] + b'ORTM' + make_model()[8:],
        # an integer without an end
        b'\xff' * 20,
    ],
    ids=['truncated', 'text', 'ORT', 'endless'],
)
def test_what_is_no_onnx_file_is_named(content):
    with pytest.raises(OnnxFileError, match='m.onnx: is not an ONNX file'):
        check_onnx(content, 'm.onnx')


def test_no_package_is_needed():
    program = (
        'import sys, types; light = types.ModuleType("light");'
        'light.__path__ = ["onestage_pose/utils"]; sys.modules["light"] = light;'
        'import light.onnx_format, light.image_formats'
    )

    # -S: without the installed packages
    done = subprocess.run(
        [sys.executable, '-S', '-c', program], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


class TestCategories:
    given = [
        dict(name='cat', id=17, keypoints=[0, 1]),
        dict(name='dog', id=18, keypoints=[1, 2]),
    ]

    def check(self, categories):
        dataset = dict(DATASET, categories=categories)
        return check_onnx(make_model(dataset_meta=dataset), 'm.onnx').categories

    def test_one_skeleton_has_none(self):
        assert check_onnx(make_model(), 'm.onnx').categories == []

    def test_they_have_their_keypoints(self):
        assert self.check(self.given) == [('cat', 17, 0, 1), ('dog', 18, 1, 2)]

    @pytest.mark.parametrize(
        'changes',
        [
            dict(name=1),
            dict(id='18'),
            dict(id=True),
            dict(keypoints=[0, 2]),
            dict(keypoints=[1, 1]),
            dict(keypoints=[1, 3]),
            dict(keypoints=[1.0, 2.0]),
            dict(keypoints=1),
        ],
        ids=str,
    )
    def test_others_are_refused(self, changes):
        with pytest.raises(OnnxFileError, match='wrong in categories; expected a list'):
            self.check([self.given[0], {**self.given[1], **changes}])

    @pytest.mark.parametrize('categories', [[], 'dog', {}, [None], given[:1]], ids=str)
    def test_they_share_all_keypoints(self, categories):
        with pytest.raises(OnnxFileError, match='share the indices from 0 to 1'):
            self.check(categories)
