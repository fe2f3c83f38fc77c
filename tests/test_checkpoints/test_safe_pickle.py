# Copyright (c) onestage_pose contributors.
"""A pickle of arrays is read; one that would run a program is not."""

import os
import pickle
from collections import OrderedDict

from onestage_pose.checkpoints.safe_pickle import load_plain_pickle
from onestage_pose.utils.errors import (
    BrokenCheckpointError,
    CheckpointError,
    UnsafeCheckpointError,
)

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

PLAIN = dict(
    numbers=[1, 2.5, True, None, -(2**70)],
    text=('one', b'two', ''),
    nested=OrderedDict(a={1: {2: [3]}}, b=frozenset((1, 2))),
)
ARRAYS = dict(
    float32=np.arange(6, dtype=np.float32).reshape(2, 3),
    fortran=np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    empty=np.zeros((0, 4), np.int64),
    zero_d=np.array(3, np.int64),
    scalar=np.float64(2.5),
    boolean=np.array([True, False]),
    big_endian=np.array([1, 2], '>i2'),
)


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'file.pkl'


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
class TestEveryProtocol:
    def test_plain_containers(self, path, protocol):
        containers = {key: PLAIN[key] for key in ('numbers', 'text')}
        path.write_bytes(pickle.dumps(containers, protocol))
        assert load_plain_pickle(path) == containers

    @pytest.mark.parametrize('name', ARRAYS)
    def test_arrays(self, path, protocol, name):
        path.write_bytes(pickle.dumps([ARRAYS[name]], protocol))
        (array,) = load_plain_pickle(path)
        assert array.dtype == ARRAYS[name].dtype
        np.testing.assert_array_equal(array, ARRAYS[name])

    def test_functions_are_refused_and_not_called(self, path, protocol, tmp_path):
        made = tmp_path / 'made'
        path.write_bytes(pickle.dumps([Call(os.mkdir, str(made))], protocol))
        with pytest.raises(UnsafeCheckpointError, match=r'file\.pkl .*`\w+.mkdir`'):
            load_plain_pickle(path)
        assert not made.exists()


def test_nested_containers(path):
    path.write_bytes(pickle.dumps(PLAIN, 4))
    assert load_plain_pickle(path) == PLAIN


def test_arrays_of_numpy_2(path):
    # numpy 2 pickles the same under another module's name, of another length
    data = pickle.dumps(ARRAYS['float32'], 0)
    path.write_bytes(data.replace(b'numpy.core.multi', b'numpy._core.multi'))
    np.testing.assert_array_equal(load_plain_pickle(path), ARRAYS['float32'])


@pytest.mark.parametrize(
    'forbidden',
    [
        pytest.param(Call(eval, '1'), id='eval'),
        pytest.param(Call(getattr, 'text', 'upper'), id='getattr'),
        pytest.param(torch.nn.Linear(1, 1), id='module'),
        pytest.param(torch.ones(1), id='tensor'),
        pytest.param(np.array([print], object), id='object-array'),
        pytest.param(np.zeros(1, [('a', 'O')]), id='structured-array'),
    ],
)
def test_everything_else_is_refused(path, forbidden):
    path.write_bytes(pickle.dumps(forbidden))
    with pytest.raises((UnsafeCheckpointError, BrokenCheckpointError)):
        load_plain_pickle(path)


@pytest.mark.parametrize('size', [0, 1, 50, -1])
def test_a_truncated_file_is_named_with_its_size(path, size):
    data = pickle.dumps(ARRAYS)[:size]
    path.write_bytes(data)
    with pytest.raises(BrokenCheckpointError, match=rf'file\.pkl \({len(data)} bytes'):
        load_plain_pickle(path)


def test_a_missing_file(path):
    with pytest.raises(FileNotFoundError):
        load_plain_pickle(path)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(2, 4), st.data())
def test_any_damage_gives_plain_values_or_a_named_error(
    tmp_path_factory, protocol, data
):
    content = bytearray(pickle.dumps(dict(PLAIN, **ARRAYS), protocol))
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / 'damaged.pkl'
    path.write_bytes(content)

    try:
        load_plain_pickle(path)
    except CheckpointError as error:
        assert str(path) in str(error)


def test_a_number_of_bytes_that_no_computer_holds_is_named(tmp_path):
    path = tmp_path / 'long.pkl'
    # a frame of ten bytes, in it a bytearray of 2**64 - 1
    path.write_bytes(b'\x80\x05\x95\x0a' + bytes(7) + b'\x96' + b'\xff' * 8 + b'.')

    with pytest.raises(BrokenCheckpointError, match='long.pkl'):
        load_plain_pickle(path)
