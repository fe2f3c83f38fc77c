# Copyright (c) onestage_pose contributors.
"""Files that are whole, and a manifest that knows its job."""

import json
import subprocess
import sys

from onestage_pose.bulk.destination import Folder, Manifest, name_partition
from onestage_pose.utils.errors import OutputError, UsageError

import pytest

ASKED = dict(bbox_thr=0.3, list_sha256='abc')


@pytest.fixture(params=['path', 'address'])
def folder(request, tmp_path):
    """A path, and the same through fsspec as any storage is."""
    path = tmp_path / 'out'
    return Folder(str(path) if request.param == 'path' else f'file://{path}')


def test_a_file_has_its_name_when_it_is_whole(folder):
    with folder.writing('a.json') as file:
        file.write(b'1')
        file.flush()
        assert folder.names() == set()

    assert (folder.names(), folder.read('a.json')) == ({'a.json'}, b'1')


def test_a_file_that_is_not_finished_has_no_name(folder):
    with pytest.raises(ZeroDivisionError):
        with folder.writing('a.json') as file:
            file.write(b'1')
            raise ZeroDivisionError

    assert folder.names() == set()


def test_a_removed_file_is_gone(folder):
    folder.write('a', b'1')

    folder.remove('a')

    assert folder.names() == set()


def test_a_folder_that_cannot_be_written_to_names_the_file(tmp_path):
    (tmp_path / 'file').touch()

    with pytest.raises(OutputError, match='part-000000.parquet could not be written'):
        Folder(str(tmp_path / 'file')).write('part-000000.parquet', b'')


def test_a_storage_of_one_process_is_refused():
    with pytest.raises(UsageError, match='no other sees'):
        Folder('memory://out')


def test_an_unknown_storage_is_refused():
    with pytest.raises(UsageError, match='nothing'):
        Folder('nothing://out')


def test_partitions_are_done_when_their_files_are_there(folder):
    manifest = Manifest(folder, ASKED)
    for number in (0, 12, 1234567):
        folder.write(name_partition(number, '.parquet'), b'')

    assert manifest.done() == {0, 12, 1234567}
    assert Manifest(folder, ASKED).done() == {0, 12, 1234567}


def test_the_manifest_says_what_was_asked_and_whether_all_is_done(folder):
    manifest = Manifest(folder, ASKED)
    before = json.loads(folder.read('_manifest.json'))
    manifest.finish()

    assert before == dict(is_finished=False, asked=ASKED)
    assert Manifest(folder, ASKED).is_finished


def test_another_job_is_refused_and_says_what_differs(folder):
    Manifest(folder, ASKED)
    folder.write('part-000000.parquet', b'')

    with pytest.raises(
        UsageError, match='begun with bbox_thr=0.3, and now it is 0.5: give the same'
    ):
        Manifest(folder, {**ASKED, 'bbox_thr': 0.5})


def test_a_job_that_has_done_nothing_binds_nobody(folder):
    Manifest(folder, ASKED)

    Manifest(folder, {**ASKED, 'bbox_thr': 0.5})

    assert json.loads(folder.read('_manifest.json'))['asked']['bbox_thr'] == 0.5


def test_a_folder_of_other_files_is_refused(folder):
    folder.write('notes.txt', b'')

    with pytest.raises(UsageError, match='holds files, such as notes.txt'):
        Manifest(folder, ASKED)


def test_a_manifest_that_is_torn_is_said(folder):
    folder.write('_manifest.json', b'{')

    with pytest.raises(UsageError, match='_manifest.json cannot be read'):
        Manifest(folder, ASKED)


def test_a_second_process_is_refused(tmp_path):
    pytest.importorskip('fcntl')
    Folder(str(tmp_path)).lock()
    program = (
        'import sys; from onestage_pose.bulk.destination import Folder; '
        'Folder(sys.argv[1]).lock()'
    )

    other = subprocess.run(
        [sys.executable, '-c', program, str(tmp_path)], capture_output=True, text=True
    )

    assert other.returncode
    assert 'writes into this folder: wait for it' in other.stderr


def test_the_lock_removes_what_killed_processes_left(tmp_path):
    (tmp_path / '.part-000000.parquet.xyz.tmp').touch()

    Folder(str(tmp_path)).lock()

    assert [each.name for each in tmp_path.iterdir()] == ['.bulk.lock']
