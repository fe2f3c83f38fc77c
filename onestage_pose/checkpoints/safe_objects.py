# Copyright (c) onestage_pose contributors.
"""What a training checkpoint may hold beside tensors, rebuilt without trust.

``torch.load(weights_only=True)`` refuses the numpy arrays and the
``HistoryBuffer`` that mmengine writes into every checkpoint. Allowing the real
classes would open two doors: mmengine's pickles call ``getattr``, and numpy's
own ``dtype.__setstate__`` lets a file declare raw bytes to be object pointers.
So the names in a pickle are answered by the stand-ins below. They take a dtype
by its name, array contents as raw bytes, and nothing else.
"""

import re
from pickle import UnpicklingError
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer

# Kinds of which every byte pattern is a valid value: boolean, integers, floating
# point, complex, byte strings and text. Not objects ('O') nor structures ('V').
_DTYPE_NAME = re.compile(r'[biufcSU]\d+')


class _Rebuilt:
    """Base of the stand-ins; ``value`` is the object that takes its place."""

    value: Any = None


class _DType(_Rebuilt):
    """``numpy.dtype`` named by a string such as ``'f4'`` or ``'U12'``.

    Args:
        name: Kind and number of bytes (of characters for text).
        align: Ignored, it concerns structures.
        copy: Ignored.

    Raises:
        UnpicklingError: If ``name`` is not a kind that holds plain values.
    """

    def __init__(self, name: str, align: bool = False, copy: bool = True) -> None:
        if not isinstance(name, str) or _DTYPE_NAME.fullmatch(name) is None:
            raise UnpicklingError(f'a numpy array of dtype {name!r}')
        self.value = np.dtype(name)

    def __setstate__(self, state: tuple) -> None:
        byte_order = state[1]
        if byte_order in ('<', '>'):
            self.value = self.value.newbyteorder(byte_order)


class _Array(_Rebuilt):
    """``numpy.ndarray`` of a plain dtype, copied out of raw bytes."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, is_fortran, raw = state
        if not isinstance(dtype, _DType) or not isinstance(raw, bytes):
            raise UnpicklingError('a numpy array of Python objects')
        order = 'F' if is_fortran else 'C'
        flat = np.frombuffer(raw, dtype.value)
        self.value = flat.reshape(shape, order=order).copy(order)


class _History(_Rebuilt):
    """mmengine's ``HistoryBuffer``: two arrays of (number of values,)."""

    def __setstate__(self, state: dict) -> None:
        self.value = HistoryBuffer(
            unwrap(state['_log_history']),
            unwrap(state['_count_history']),
            max_length=int(state['max_length']),
        )


def _reconstruct(subtype: type, shape: tuple, kind: bytes) -> _Array:
    if subtype is not _Array:
        raise UnpicklingError(f'a numpy array of class {subtype!r}')
    return _Array()


def _scalar(dtype: _DType, raw: bytes) -> np.generic:
    if not isinstance(dtype, _DType) or not isinstance(raw, bytes):
        raise UnpicklingError('a numpy scalar that holds a Python object')
    return np.frombuffer(raw, dtype.value)[0]


def _statistics_method(owner: type, name: str) -> None:
    # mmengine pickles HistoryBuffer.mean and its like as a call of getattr. The
    # buffer is given them again when it is rebuilt, so nothing is looked up.
    if owner is not _History:
        raise UnpicklingError(f'builtins.getattr on {owner!r}')


def _empty_bytes() -> bytes:
    # Protocol 2 writes an empty array's contents as a call of bytes().
    return b''


#: (stand-in, name in the pickle), as ``torch.serialization`` takes them. numpy 2
#: moved its functions; both places are answered, so either version's files load.
STAND_INS: tuple[tuple[Any, str], ...] = (
    (_DType, 'numpy.dtype'),
    (_Array, 'numpy.ndarray'),
    (_reconstruct, 'numpy.core.multiarray._reconstruct'),
    (_reconstruct, 'numpy._core.multiarray._reconstruct'),
    (_scalar, 'numpy.core.multiarray.scalar'),
    (_scalar, 'numpy._core.multiarray.scalar'),
    (_History, 'mmengine.logging.history_buffer.HistoryBuffer'),
    (_statistics_method, 'builtins.getattr'),
    (_empty_bytes, 'builtins.bytes'),
)


def unwrap(loaded: Any, seen: set[int] | None = None) -> Any:
    """Put the rebuilt objects in the place of their stand-ins.

    Args:
        loaded (Any): What the unpickler returned. Dicts and lists are changed in place
            (an ``OrderedDict`` keeps its attributes), tuples are replaced.
        seen (set[int] | None): Ids of the containers already visited; a pickle may
            hold cycles.

    Returns:
        Any: ``loaded``, or its replacement where it was a stand-in or a tuple.
    """
    seen = set() if seen is None else seen
    if isinstance(loaded, _Rebuilt):
        return loaded.value
    if type(loaded) is tuple:
        return tuple(unwrap(item, seen) for item in loaded)
    if not isinstance(loaded, (dict, list)) or id(loaded) in seen:
        return loaded
    seen.add(id(loaded))
    items = loaded.items() if isinstance(loaded, dict) else enumerate(loaded)
    for key, item in list(items):
        replacement = unwrap(item, seen)
        if replacement is not item:
            loaded[key] = replacement
    return loaded
