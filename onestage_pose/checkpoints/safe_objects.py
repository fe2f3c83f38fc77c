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
from torch import Tensor, strided

# Kinds of which every byte pattern is a valid value: boolean, integers, floating
# point, complex, byte strings and text. Not objects ('O') nor structures ('V').
_DTYPE_NAME = re.compile(r'[biufcSU]\d+')
# What repeats itself within these bounds is no harm.
_FEW, _REPEATS, _DEEPEST = 1_000_000, 16, 200


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


def unwrap(loaded: Any) -> Any:
    """Put the rebuilt objects in the place of their stand-ins.

    Args:
        loaded (Any): What the unpickler returned, with cycles or without. Dicts and
            lists are changed in place (an ``OrderedDict`` keeps its attributes), tuples
            are replaced.

    Returns:
        Any: ``loaded``, or its replacement where it was a stand-in or a tuple.

    Raises:
        OversizedError: Written out it would be a thousand times what it is: containers
            of each other, a tensor that repeats its values, or nesting without end.
    """
    return _Unwrapping().visit(loaded, 0)[0]


class OversizedError(ValueError):
    """A few values that stand for a great many."""


class _Unwrapping:
    """One pass over what an unpickler returned; each container is visited once."""

    def __init__(self) -> None:
        # by id: the container (so that the id stays its own), its replacement, and the
        # number of values that it is when written out
        self._done: dict[int, tuple[Any, Any, int]] = {}
        self._values = 0

    def visit(self, loaded: Any, depth: int) -> tuple[Any, int]:
        if isinstance(loaded, _Rebuilt):
            loaded = loaded.value
        if not (isinstance(loaded, (dict, list)) or type(loaded) is tuple):
            _check_tensor(loaded)
            self._values += 1
            return loaded, 1
        if id(loaded) in self._done:
            return self._done[id(loaded)][1:]
        if depth > _DEEPEST:
            raise OversizedError(f'containers nested over {_DEEPEST} deep')
        # a cycle comes back to here
        self._done[id(loaded)] = loaded, loaded, 1
        if isinstance(loaded, dict):
            pairs = list(loaded.items())
        else:
            pairs = list(enumerate(loaded))
        total, items = 1, []
        for key, item in pairs:
            replacement, count = self.visit(item, depth + 1)
            total += count
            items.append(replacement)
            if replacement is not item and type(loaded) is not tuple:
                loaded[key] = replacement
        if total > _FEW + _REPEATS * self._values:
            raise OversizedError(f'{self._values:,} values that stand for {total:,}')
        result = tuple(items) if type(loaded) is tuple else loaded
        self._done[id(loaded)] = loaded, result, total
        return result, total


def _check_tensor(value: Any) -> None:
    if not isinstance(value, Tensor) or value.layout != strided or value.is_meta:
        return
    stated = value.numel() * value.element_size()
    held = value.untyped_storage().nbytes()
    if stated > _FEW + _REPEATS * held:
        raise OversizedError(f'a tensor of {stated:,} bytes made of {held:,}')
