# Copyright (c) onestage_pose contributors.
"""Refuse files that are small and ask for much, before anything of them is unpacked.

A pickle, or the archive around it, can state sizes that it does not have: a compressed
part of gigabytes, a buffer of a given length, a dict's key whose hash takes years. The
file is read here without building anything, and what it states is held against what
it has.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import struct
import zipfile
from typing import Any, BinaryIO

from ..utils.errors import (
    BrokenCheckpointError,
    CheckpointError,
    OversizedCheckpointError,
)

# Bytes of a value, by the storage's class in torch.
_ITEM_SIZES = {
    **dict.fromkeys(('ComplexDouble',), 16),
    **dict.fromkeys(('Double', 'Long', 'ComplexFloat'), 8),
    **dict.fromkeys(('Float', 'Int', 'QInt32'), 4),
    **dict.fromkeys(('Half', 'BFloat16', 'Short'), 2),
}
# A key of a dict is a name, a number, or a few of them.
_KEY_PARTS = 100
# What Python's zipfile raises on them: beside its own, on names, places and flags.
_OF_DAMAGED_ARCHIVES = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
# torch's old format: a magic number, a version, the machine, the content, the storages
_PICKLES_OF_A_FILE = 5


def check_declared_sizes(filename: str) -> set[str]:
    """Raise where a file of ``torch.save`` states more than it holds.

    A file that is neither, or ends too early, passes: torch says so.

    Args:
        filename (str): Path of a ``.pth``, in torch's zip format or the old one.

    Returns:
        set[str]: Full names of the classes and functions that its pickles ask for, as
        far as they can be read.

    Raises:
        OversizedCheckpointError: Naming the file and what is too large.
        BrokenCheckpointError: Its archive cannot be read, or its pickle not followed.
    """
    size = os.path.getsize(filename)
    if not size:
        return set()
    with open(filename, 'rb') as file:
        if zipfile.is_zipfile(file):
            try:
                with zipfile.ZipFile(file) as archive:
                    return _check_archive(archive, filename, size)
            except CheckpointError:
                raise
            except _OF_DAMAGED_ARCHIVES as error:
                # torch may read more of it than Python, past this check
                raise BrokenCheckpointError(
                    f'checkpoint {filename} ({size} bytes) cannot be read: its archive '
                    f'is truncated or damaged ({error}). Fetch or copy it again.'
                ) from error
        # read() of a mapping gives no more than there is, whatever is asked for
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            scanner = Scanner(content, filename, size)
            for _ in range(_PICKLES_OF_A_FILE):
                if not scanner.scan():
                    break
            stated = sum(scanner.storages.values())
            if stated > size:
                raise _oversized(filename, f'tensors of {stated:,} bytes', size)
            return scanner.names


def check_pickle(filename: str | os.PathLike) -> bool:
    """Raise where a ``.pkl`` states more than it holds.

    Args:
        filename (str | os.PathLike): Path of the file.

    Returns:
        bool: Whether it can be followed to its end.

    Raises:
        OversizedCheckpointError, BrokenCheckpointError: As
            :func:`check_declared_sizes`.
    """
    size = os.path.getsize(filename)
    if not size:
        return False
    with open(filename, 'rb') as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return Scanner(content, str(filename), size).scan()


def _check_archive(archive: zipfile.ZipFile, filename: str, size: int) -> set[str]:
    parts = {part.filename: part.file_size for part in archive.infolist()}
    stated = sum(part.file_size for part in archive.infolist())
    # torch.save compresses nothing, and parts that overlap are no file of its
    if stated > size:
        raise _oversized(filename, f'parts of {stated:,} bytes', size)
    names: set[str] = set()
    for part in parts:
        if not part.endswith('/data.pkl'):
            continue
        scanner = Scanner(io.BytesIO(archive.read(part)), filename, size)
        scanner.scan()
        names |= scanner.names
        folder = part.removesuffix('data.pkl')
        for key, stated in scanner.storages.items():
            held = parts.get(f'{folder}data/{key}', stated)
            if stated > held:
                raise _oversized(filename, f'a tensor of {stated:,} bytes', held)
    return names


class Scanner(pickle._Unpickler):
    """Follows a pickle and builds nothing but containers.

    Python's own unpickler, whose memo is a dict: C's takes the largest index of a file
    for the size of a table.

    Args:
        file: The file, from where it stands.
        filename: For messages.
        size: Its bytes, which bound what it may state.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: BinaryIO | mmap.mmap, filename: str, size: int) -> None:
        super().__init__(_Bounded(file, size))
        self.filename = filename
        self.size = size
        self.names: set[str] = set()
        self.storages: dict[str, int] = {}

    def scan(self) -> bool:
        """Follow one pickle; return whether there was a whole one."""
        try:
            self.load()
        except (EOFError, pickle.UnpicklingError, KeyError, struct.error):
            # torch, which reads the same bytes, gets no further
            return False
        except (
            AttributeError,
            IndexError,
            OverflowError,
            TypeError,
            ValueError,
        ) as error:
            raise BrokenCheckpointError(
                f'{self.filename} cannot be read: its pickle is not as pickle writes '
                f'it ({error}).'
            ) from error
        return True

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(f'{module}.{name}')
        return _Named(f'{module}.{name}', self)

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or len(pid) < 5:
            raise pickle.UnpicklingError("an id that is not a tensor's")
        kind, storage, key, location, count = pid[:5]
        name = str(storage).removeprefix('torch.').removesuffix('Storage')
        if kind == 'storage' and location != 'meta':
            self.storages[str(key)] = int(count) * _ITEM_SIZES.get(name, 1)
        return _Built()

    def check_call(self, name: str, args: tuple) -> None:
        """Raise for a call that would fill memory or hash without end."""
        kind = name.rpartition('.')[2]
        if kind == 'bytearray' and any(isinstance(arg, int) for arg in args):
            raise self.oversized(f'a buffer of {args[0]:,} bytes')
        if name.startswith('torch.') and kind.endswith('Tensor'):
            raise self.oversized(f'an empty {kind} of the shape {args}')
        if kind in ('OrderedDict', 'Counter', 'set', 'frozenset', 'dict'):
            for arg in args:
                for item in arg if isinstance(arg, (list, tuple)) else ():
                    self.check_key(item)

    def check_key(self, key: Any) -> None:
        """Raise for a key of many parts: nested pairs of itself have billions."""
        rest, parts = [key], 0
        while rest:
            parts += 1
            if parts > _KEY_PARTS:
                raise self.oversized('a key of a dict with over a hundred parts')
            item = rest.pop()
            if isinstance(item, (tuple, frozenset)):
                rest.extend(item)

    def oversized(self, what: str) -> OversizedCheckpointError:
        return _oversized(self.filename, what, self.size)

    def _pop_call(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self.stack[-1](*args)

    def _pop_call_with_words(self) -> None:
        words = self.stack.pop()
        args = self.stack.pop()
        self.stack[-1] = self.stack[-1](*args, *words.values())

    def _ignore_state(self) -> None:
        self.stack.pop()

    def _append(self) -> None:
        value = self.stack.pop()
        if isinstance(self.stack[-1], list):
            self.stack[-1].append(value)

    def _extend(self) -> None:
        values = self.pop_mark()
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def _set_item(self) -> None:
        self.stack.pop()
        self.check_key(self.stack.pop())

    def _set_items(self) -> None:
        for key in self.pop_mark()[::2]:
            self.check_key(key)

    def _make_dict(self) -> None:
        self._set_items()
        self.append({})

    def _add_items(self) -> None:
        for item in self.pop_mark():
            self.check_key(item)

    def _make_frozenset(self) -> None:
        self._add_items()
        self.append(frozenset())

    def _read_bytearray(self) -> None:
        (count,) = struct.unpack('<Q', self.read(8))
        self.append(self.read(count))

    def _put(self, index: int) -> None:
        if index > self.size:
            raise self.oversized(f'a table of {index:,} entries')
        self.memo[index] = self.stack[-1]

    dispatch.update(
        {
            pickle.REDUCE[0]: _pop_call,
            pickle.NEWOBJ[0]: _pop_call,
            pickle.NEWOBJ_EX[0]: _pop_call_with_words,
            pickle.BUILD[0]: _ignore_state,
            pickle.APPEND[0]: _append,
            pickle.APPENDS[0]: _extend,
            pickle.SETITEM[0]: _set_item,
            pickle.SETITEMS[0]: _set_items,
            pickle.DICT[0]: _make_dict,
            pickle.ADDITEMS[0]: _add_items,
            pickle.FROZENSET[0]: _make_frozenset,
            pickle.BYTEARRAY8[0]: _read_bytearray,
            pickle.PUT[0]: lambda self: self._put(int(self.readline())),
            pickle.BINPUT[0]: lambda self: self._put(self.read(1)[0]),
            pickle.LONG_BINPUT[0]: lambda self: self._put(
                struct.unpack('<I', self.read(4))[0]
            ),
        }
    )


class _Bounded:
    """A file that ends rather than reads less than is asked for."""

    def __init__(self, file: BinaryIO | mmap.mmap, size: int) -> None:
        self._file = file
        self._size = size
        self.readline = file.readline

    def read(self, count: int) -> bytes:
        if count > self._size - self._file.tell():
            raise EOFError
        return self._file.read(count)


class _Named:
    """Stands for a class or a function; calls are looked at and not made."""

    def __init__(self, name: str, scanner: Scanner) -> None:
        self._name = name
        self._scanner = scanner

    def __call__(self, *args: Any) -> _Built:
        self._scanner.check_call(self._name, args)
        return _Built()

    def __str__(self) -> str:
        return self._name


class _Built:
    """What a call would have given."""


def _oversized(filename: str, what: str, held: int) -> OversizedCheckpointError:
    return OversizedCheckpointError(
        f'{filename} was not loaded: it states {what} and holds {held:,}. Nothing of '
        'it was unpacked; torch.save and pickle write no such file.'
    )
