# Copyright (c) onestage_pose contributors.
"""Detectron2's files are read safely, and written as Detectron2 reads them."""

import pickle

from onestage_pose.checkpoints.converters import read_detectron2, write_detectron2
from onestage_pose.utils.errors import ConversionError, UnsafeCheckpointError

import numpy as np
import pytest
import torch

ARRAYS = {
    'conv.weight': np.arange(6, dtype=np.float32).reshape(2, 3),
    'norm.num_batches_tracked': np.array(7, np.int64),
}


def write_zoo_file(path, model, protocol=2):
    content = dict(model=model, __author__='Detectron2 Model Zoo')
    path.write_bytes(pickle.dumps(content, protocol))


def assert_same(tensors, arrays):
    assert list(tensors) == list(arrays)
    for name, array in arrays.items():
        assert tensors[name].numpy().dtype == array.dtype
        np.testing.assert_array_equal(tensors[name].numpy(), array)


@pytest.mark.parametrize('protocol', range(6))
def test_model_zoo_file(tmp_path, protocol):
    write_zoo_file(tmp_path / 'model.pkl', ARRAYS, protocol)
    arrays, unused = read_detectron2(tmp_path / 'model.pkl')
    assert_same(arrays, ARRAYS)
    assert unused == ['__author__']


def test_training_checkpoint(tmp_path):
    model = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    beside = dict(
        optimizer=dict(state={0: dict(momentum_buffer=torch.zeros(2))}),
        scheduler=dict(base_lrs=[np.float64(0.02)], milestones=(3, 4)),
        iteration=9,
    )
    torch.save(dict(model=model, **beside), tmp_path / 'model.pth')
    arrays, unused = read_detectron2(tmp_path / 'model.pth')
    assert_same(arrays, ARRAYS)
    assert unused == list(beside)


def test_numpy_arrays_in_a_training_checkpoint(tmp_path):
    torch.save(dict(model=ARRAYS), tmp_path / 'model.pth')
    assert_same(read_detectron2(tmp_path / 'model.pth')[0], ARRAYS)


def test_numpy_scalars_and_foreign_byte_order(tmp_path):
    model = dict(big_endian=np.array([1.5, 2.5], '>f4'), scalar=np.float32(3.5))
    write_zoo_file(tmp_path / 'model.pkl', model)
    arrays, _ = read_detectron2(tmp_path / 'model.pkl')
    assert arrays['big_endian'].tolist() == [1.5, 2.5]
    assert arrays['scalar'].item() == 3.5 and arrays['scalar'].dtype == torch.float32


@pytest.mark.parametrize('suffix', ['.pkl', '.pth'])
def test_written_files_are_read_back(tmp_path, suffix):
    path = tmp_path / f'model{suffix}'
    tensors = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    write_detectron2(tensors, path)
    assert_same(read_detectron2(path)[0], ARRAYS)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_written_pkl_is_what_detectron2_looks_for(tmp_path):
    # its checkpointer takes a .pkl with both of these keys as its own
    write_detectron2({'conv.weight': torch.ones(2)}, tmp_path / 'model.pkl')
    content = pickle.loads((tmp_path / 'model.pkl').read_bytes())
    assert set(content) == {'model', '__author__'}
    assert isinstance(content['model']['conv.weight'], np.ndarray)


def test_what_is_no_array_is_named(tmp_path):
    write_zoo_file(tmp_path / 'model.pkl', dict(conv='text'))
    with pytest.raises(ConversionError, match=r"model\.pkl: model\['conv'\].*'text'"):
        read_detectron2(tmp_path / 'model.pkl')


def test_a_checkpoint_of_this_project_points_to_reverse(tmp_path):
    torch.save(dict(state_dict={}, meta={}), tmp_path / 'ours.pth')
    with pytest.raises(ConversionError, match=r"ours\.pth .*'meta'.*--reverse"):
        read_detectron2(tmp_path / 'ours.pth')


def test_programs_are_refused(tmp_path):
    write_zoo_file(tmp_path / 'model.pkl', dict(conv=print))
    with pytest.raises(UnsafeCheckpointError, match=r'model\.pkl .*`builtins.print`'):
        read_detectron2(tmp_path / 'model.pkl')
