# Copyright (c) onestage_pose contributors.
"""numpy arrays and log histories are rebuilt from names and bytes alone."""

import io
from pickle import UnpicklingError
from typing import Any

from onestage_pose.checkpoints.safe_objects import STAND_INS, unwrap

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer


def round_trip(value: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    with torch.serialization.safe_globals(list(STAND_INS)):
        return unwrap(torch.load(file, weights_only=True))


@pytest.mark.parametrize(
    'array',
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6)[::2],
        np.array(3.0),
        np.zeros((0, 17, 2), dtype=np.float32),
        np.array([True, False]),
        np.array([1, 2], dtype='>i4'),
        np.array(['nose', 'ä'], dtype=np.str_),
        np.array([b'a', b'bc']),
        np.array([1 + 2j]),
    ],
    ids=lambda array: f'{array.dtype}-{array.shape}',
)
def test_array_comes_back_as_it_was(array: np.ndarray) -> None:
    rebuilt = round_trip(array)

    assert type(rebuilt) is np.ndarray
    assert rebuilt.dtype == array.dtype
    np.testing.assert_array_equal(rebuilt, array)


def test_array_can_be_written_to() -> None:
    rebuilt = round_trip(np.zeros(3))

    assert rebuilt.flags.writeable


@pytest.mark.parametrize('scalar', [np.float64(0.1), np.int64(-3), np.bool_(True)])
def test_scalar_comes_back_with_its_type(scalar: np.generic) -> None:
    rebuilt = round_trip(scalar)

    assert type(rebuilt) is type(scalar)
    assert rebuilt == scalar


def test_history_comes_back_with_its_statistics() -> None:
    history = HistoryBuffer([1.0, 2.0, 6.0], [1, 1, 1], max_length=7)

    rebuilt = round_trip(history)

    assert type(rebuilt) is HistoryBuffer
    assert rebuilt.max_length == 7
    assert rebuilt.statistics('mean', 2) == 4.0


def test_shared_array_stays_shared() -> None:
    array = np.zeros(2)

    rebuilt = round_trip([array, dict(again=array)])

    assert rebuilt[0] is rebuilt[1]['again']


def test_cycle_ends() -> None:
    container: list = [np.zeros(1)]
    container.append(container)

    rebuilt = round_trip(container)

    assert rebuilt[1] is rebuilt


@pytest.mark.parametrize(
    'array',
    [
        np.array([None], dtype=object),
        np.zeros(1, dtype=[('x', 'f4'), ('y', 'O')]),
        np.zeros(1, dtype='V8'),
    ],
    ids=['objects', 'structure', 'void'],
)
def test_array_of_other_than_values_is_refused(array: np.ndarray) -> None:
    with pytest.raises(UnpicklingError):
        round_trip(array)


def test_bytes_cannot_be_declared_to_be_object_pointers() -> None:
    # numpy takes a dtype's flags from the file: 'O8' without the flag for objects
    # makes it read the file's bytes as addresses, and the interpreter crashes.
    class Forged:
        def __reduce__(self) -> tuple:
            state = (3, '|', None, None, None, -1, -1, 0)
            return np.dtype, ('O8', False, True), state

    with pytest.raises(UnpicklingError, match="dtype 'O8'"):
        round_trip(Forged())
