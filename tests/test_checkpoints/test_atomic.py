# Copyright (c) onestage_pose contributors.
"""A file exists whole or not at all, and a full disk is told."""

import os
import re
import resource
import signal
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from onestage_pose.checkpoints.atomic import replacing, write_text
from onestage_pose.utils.errors import SaveError

import pytest
from mmengine.fileio import get_file_backend


@pytest.fixture
def backend():
    return get_file_backend(backend_args=dict(backend='atomic'))


def put_on_a_small_disk(size: int, path: Path) -> str:
    """Puts a file where none may grow over 1000 bytes, and gives what was raised.

    Called in another process: this one may be writing into a larger file.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        get_file_backend(backend_args=dict(backend='atomic')).put(bytes(size), path)
    except SaveError as error:
        return str(error)
    return 'nothing'


def test_content_is_what_was_put(backend, tmp_path: Path) -> None:
    backend.put(b'weights', tmp_path / 'new' / 'a.pth')

    assert (tmp_path / 'new' / 'a.pth').read_bytes() == b'weights'


def test_text_is_encoded(backend, tmp_path: Path) -> None:
    backend.put_text('ü', tmp_path / 'a.txt')

    assert (tmp_path / 'a.txt').read_bytes() == b'\xc3\xbc'


def test_permissions_are_those_of_any_new_file(backend, tmp_path: Path) -> None:
    (tmp_path / 'plain').touch()

    backend.put(b'', tmp_path / 'a.pth')

    modes = {stat.S_IMODE(os.stat(tmp_path / n).st_mode) for n in ('plain', 'a.pth')}
    assert len(modes) == 1


def test_killed_in_the_middle_leaves_the_old_file(
    backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.put(b'old', tmp_path / 'a.pth')

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, 'fsync', killed)
    with pytest.raises(KeyboardInterrupt):
        backend.put(b'newer', tmp_path / 'a.pth')

    assert (tmp_path / 'a.pth').read_bytes() == b'old'


def test_what_a_killed_process_has_left_is_removed(
    backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.put(b'old', tmp_path / 'a.pth')
    monkeypatch.setattr(os, 'fsync', lambda descriptor: os._exit(9))
    killed = get_context('fork').Process(
        target=backend.put, args=(b'newer', tmp_path / 'a.pth')
    )
    killed.start()
    killed.join()
    assert len(os.listdir(tmp_path)) == 2

    backend.remove_unfinished(tmp_path)

    assert os.listdir(tmp_path) == ['a.pth']


def test_full_disk_is_named_and_leaves_the_old_file(backend, tmp_path: Path) -> None:
    backend.put(b'old', tmp_path / 'a.pth')

    with ProcessPoolExecutor(1, mp_context=get_context('fork')) as other:
        said = other.submit(put_on_a_small_disk, 5000, tmp_path / 'a.pth').result()

    assert re.search(r'a\.pth \(5,000 bytes\).*too large.*--resume', said)

    assert (tmp_path / 'a.pth').read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a.pth']


def test_folder_that_is_a_file_is_named(backend, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()

    with pytest.raises(SaveError, match=r'file/a\.pth .* could not be written'):
        backend.put(b'', tmp_path / 'file' / 'a.pth')


def test_the_file_appears_when_all_is_written(tmp_path):
    path = tmp_path / 'folder' / 'file'
    with replacing(path) as part:
        part.write_text('new')
        assert not path.exists()
    assert path.read_text() == 'new' and not part.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / 'file'
    path.write_text('old')
    with pytest.raises(OSError, match='disk full'), replacing(path) as part:
        part.write_text('ne')
        raise OSError('disk full')
    assert path.read_text() == 'old' and not part.exists()


def test_text_replaces_what_was_there(tmp_path):
    write_text('old', tmp_path / 'last_checkpoint')

    write_text('new', tmp_path / 'last_checkpoint')

    assert (tmp_path / 'last_checkpoint').read_text() == 'new'
    assert os.listdir(tmp_path) == ['last_checkpoint']


@pytest.mark.parametrize('name', [255 * 'a', 'caf\udce9', 63 * '\N{GRINNING FACE}'])
def test_any_name_that_the_file_system_takes_is_written(tmp_path, name) -> None:
    write_text('text', tmp_path / name)

    assert os.listdir(tmp_path) == [name]
