# Copyright (c) onestage_pose contributors.
"""A small file that asks for much is refused by name, before anything is unpacked."""

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

from onestage_pose.checkpoints.latest import find_latest_checkpoint
from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.checkpoints.safe_pickle import load_plain_pickle
from onestage_pose.utils.errors import (
    BrokenCheckpointError,
    CheckpointError,
    OversizedCheckpointError,
)

import numpy as np
import pytest
import torch


def nested_pairs(levels: int = 60) -> tuple:
    """Written out these are 2**60 values."""
    pair: Any = (1, 1)
    for _ in range(levels):
        pair = (pair, pair)
    return pair


def saved(content: Any, zipped: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


def with_pickle(program: bytes) -> bytes:
    """A file of torch.save with another pickle in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('archive/data.pkl', program)
        archive.writestr('archive/version', '3\n')
        archive.writestr('archive/byteorder', 'little')
    return file.getvalue()


def compressed_zeros() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data.pkl', pickle.dumps({}, 2))
        archive.writestr('archive/version', '3\n')
        archive.writestr('archive/data/0', bytes(10**7))
    return file.getvalue()


def larger_storage() -> bytes:
    """A tensor of 2**40 values whose part of the archive has three."""
    whole = saved(dict(weight=torch.zeros(3)))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source:
        with zipfile.ZipFile(file, 'w') as target:
            for name in source.namelist():
                content = source.read(name)
                if name.endswith('data.pkl'):
                    # numbers of values: K for a byte, \x8a for a long one
                    long = b'\x8a\x06' + (2**40).to_bytes(6, 'little')
                    content = content.replace(b'K\x03tq', long + b'tq')
                target.writestr(name, content)
    return file.getvalue()


def call(name: str, argument: bytes) -> bytes:
    """A pickle of protocol 2 that calls a function."""
    return b'\x80\x02c' + name.encode() + b'\n' + argument + b'\x85R.'


LONG = b'\x8a\x06' + (2**36).to_bytes(6, 'little')
KEY = pickle.dumps(nested_pairs(), 2)[2:-1]
KEYED = b'\x80\x02}' + KEY + b'K\x01s.'

CHECKPOINTS = {
    'compressed parts': compressed_zeros(),
    'tuples of each other': saved(dict(meta=nested_pairs())),
    'tuples of each other, old format': saved(dict(meta=nested_pairs()), False),
    'lists in a tuple': saved(dict(meta=([nested_pairs()],))),
    'key of tuples of each other': with_pickle(KEYED),
    'stride of 0': saved(dict(weight=torch.zeros(1).expand(2**34))),
    'storage that is not there': larger_storage(),
    'buffer of a length': with_pickle(call('__builtin__\nbytearray', LONG)),
    'tensor of a size': with_pickle(call('torch\nFloatTensor', LONG)),
    'nested without end': with_pickle(b'\x80\x02' + b']' * 5000 + b'a' * 4999 + b'.'),
}

PICKLES = {
    'tuples of each other': pickle.dumps(dict(model=nested_pairs())),
    'key of tuples of each other': KEYED,
    'buffer of a length': call('__builtin__\nbytearray', LONG),
    'entry far along the table': b'\x80\x02Nr' + struct.pack('<I', 2**32 - 1) + b'.',
    'nested without end': b'\x80\x02' + b']' * 5000 + b'a' * 4999 + b'.',
}
TRUNCATED = {
    'bytes': b'\x80\x04\x8e' + struct.pack('<Q', 2**36) + b'.',
    'bytearray': b'\x80\x05\x96' + struct.pack('<Q', 2**36) + b'.',
    'text': b'\x80\x04\x8d' + struct.pack('<Q', 2**36) + b'.',
}


@pytest.mark.parametrize('content', CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(content)
    assert len(content) < 100_000

    with pytest.raises(OversizedCheckpointError, match='epoch_1.pth was not loaded'):
        load_from_local(str(path))


@pytest.mark.parametrize('content', CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_search_for_the_latest_passes_over_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'epoch_1.pth').write_bytes(content)

    with pytest.raises(CheckpointError, match='none of the checkpoints'):
        find_latest_checkpoint(str(tmp_path))


@pytest.mark.parametrize('content', PICKLES.values(), ids=PICKLES)
def test_pickle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'model.pkl'
    path.write_bytes(content)

    with pytest.raises(OversizedCheckpointError, match='model.pkl was not loaded'):
        load_plain_pickle(path)


@pytest.mark.parametrize('content', TRUNCATED.values(), ids=TRUNCATED)
def test_pickle_that_states_more_bytes_than_follow_is_truncated(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / 'model.pkl'
    path.write_bytes(content)

    with pytest.raises(BrokenCheckpointError, match='model.pkl'):
        load_plain_pickle(path)


def test_values_that_are_shared_stay_shared(tmp_path: Path) -> None:
    shared = [np.zeros(2)]
    torch.save([shared] * 1000, tmp_path / 'shared.pth')

    loaded = load_from_local(str(tmp_path / 'shared.pth'))

    assert all(item is loaded[0] for item in loaded)


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_small_repeated_tensor_is_loaded(tmp_path: Path, zipped: bool) -> None:
    repeated = torch.arange(4.0).expand(100, 4)
    (tmp_path / 'a.pth').write_bytes(saved(dict(weight=repeated), zipped))

    assert torch.equal(load_from_local(str(tmp_path / 'a.pth'))['weight'], repeated)
