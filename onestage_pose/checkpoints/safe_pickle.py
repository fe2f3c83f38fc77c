# Copyright (c) onestage_pose contributors.
"""Read ``.pkl`` files that hold numpy arrays and plain containers, and no others."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

from ..utils.errors import (
    BrokenCheckpointError,
    OversizedCheckpointError,
    UnsafeCheckpointError,
)
from .declared_sizes import check_pickle
from .safe_objects import STAND_INS, OversizedError, unwrap


def load_plain_pickle(filename: str | os.PathLike) -> Any:
    """Load a pickle without running anything that is in it.

    Numbers, text, dicts, lists, tuples and sets are what pickle itself knows;
    numpy's arrays and scalars of plain dtypes are rebuilt as
    :mod:`.safe_objects` says. All pickle protocols are read.

    Args:
        filename (str | os.PathLike): Path of the file.

    Returns:
        Any: What was pickled.

    Raises:
        UnsafeCheckpointError: If it holds anything else; names it.
        BrokenCheckpointError: If it cannot be read to its end.
        OversizedCheckpointError: If it states more than it holds.
    """
    is_whole = check_pickle(filename)
    try:
        if not is_whole:
            raise EOFError('it ends before its content does')
        with open(filename, 'rb') as file:
            return unwrap(_PlainUnpickler(file).load())
    except _RefusedError as error:
        raise UnsafeCheckpointError(
            f'{filename} was not loaded: it asks for `{error}`, which is neither a '
            'numpy array nor a plain container and could run a program of whoever '
            'wrote the file. Nothing of it was run.'
        ) from None
    except OversizedError as error:
        raise OversizedCheckpointError(
            f'{filename} was not loaded: it holds {error}.'
        ) from None
    except (OSError, MemoryError):
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise BrokenCheckpointError(
            f'{filename} ({os.path.getsize(filename)} bytes) cannot be read: it is '
            'truncated (a download that was cut short) or holds no plain pickle. Fetch '
            f'or copy it again. pickle says: {reason}'
        ) from error


class _RefusedError(Exception):
    """Names an object outside the list."""


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that answers names by stand-ins, and refuses all others."""

    def find_class(self, module: str, name: str) -> Any:
        if module == '__builtin__':  # as protocols up to 2 call it
            module = 'builtins'
        try:
            return _KNOWN[f'{module}.{name}']
        except KeyError:
            raise _RefusedError(f'{module}.{name}') from None

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError('a persistent id')


def _encode(text: str, encoding: str) -> bytes:
    # Protocol 2 writes bytes as a call of codecs.encode().
    if not isinstance(text, str) or encoding != 'latin1':
        raise pickle.UnpicklingError(f'bytes in the encoding {encoding!r}')
    return text.encode('latin1')


def _frombuffer(buffer: Any, dtype: Any, shape: tuple, order: str) -> np.ndarray:
    # Protocol 5 writes an array as a call of numpy's function of this name.
    flat = np.frombuffer(buffer, unwrap(dtype))
    return flat.reshape(shape, order=order).copy(order)


_KNOWN = {
    # A history of losses calls getattr, and has no place in a file of weights.
    **{
        name: stand_in
        for stand_in, name in STAND_INS
        if name.startswith('numpy.') or name == 'builtins.bytes'
    },
    'collections.OrderedDict': OrderedDict,
    '_codecs.encode': _encode,
    'builtins.bytearray': bytearray,
    'numpy.core.numeric._frombuffer': _frombuffer,
    'numpy._core.numeric._frombuffer': _frombuffer,
}
