# Copyright (c) onestage_pose contributors.
"""Downloads from a server on the loopback address that fails in every way."""

import hashlib
import os

from onestage_pose.utils.errors import DownloadError, SaveError, WrongWeightsError
from onestage_pose.zoo import download as module
from onestage_pose.zoo.digest import Digest
from onestage_pose.zoo.download import MAX_ATTEMPTS, download

import pytest

CONTENT = bytes(range(256)) * 40
NAME = 'weights.pkl'


def digest_of(content):
    return Digest('sha256', hashlib.sha256(content).hexdigest()[:8])


@pytest.fixture
def target(tmp_path):
    return tmp_path / NAME


@pytest.fixture
def part(tmp_path):
    return tmp_path / f'{NAME}.part'


@pytest.fixture
def fetch(server, target):
    server.files[NAME] = CONTENT

    def fetch(digest=None):
        download(
            f'{server.url}/{NAME}', target, digest or digest_of(CONTENT), 'Put it here.'
        )

    return fetch


def ranges(server):
    return [asked for _, asked in server.requests]


def test_a_whole_file_arrives_and_nothing_else(fetch, target):
    fetch()

    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == [NAME]


def test_what_was_cut_off_is_resumed_where_it_ended(server, fetch, target):
    server.acts.append('cut')

    fetch()

    assert target.read_bytes() == CONTENT
    assert ranges(server) == [None, f'bytes={len(CONTENT) // 2}-']


def test_a_long_way_of_short_pieces_is_gone_to_its_end(server, fetch, target):
    server.acts.extend(['cut'] * (MAX_ATTEMPTS + 3))

    fetch()

    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_anew(server, fetch, target):
    server.acts.extend(['cut', 'no range'])

    fetch()

    assert target.read_bytes() == CONTENT


def test_another_part_than_asked_for_is_not_put_together(server, fetch, target):
    server.acts.extend(['cut', 'wrong range'])

    fetch()

    assert target.read_bytes() == CONTENT
    assert ranges(server)[-1] is None


def test_a_file_that_stays_truncated_is_an_error(server, fetch, target):
    server.acts.extend(['half'] * 9)

    with pytest.raises(
        DownloadError, match=r'ended after 5,120 of 10,240 bytes \(4 attempts\)'
    ):
        fetch()

    assert not target.exists()


def test_an_interrupted_download_is_resumed_by_the_next_call(
    server, fetch, target, part
):
    part.write_bytes(CONTENT[:1000])

    fetch()

    assert target.read_bytes() == CONTENT
    assert ranges(server) == ['bytes=1000-']


def test_what_is_left_of_another_file_is_thrown_away(server, fetch, target, part):
    part.write_bytes(b'x' * 1000)

    fetch()

    assert target.read_bytes() == CONTENT
    assert ranges(server) == ['bytes=1000-', None]


def test_what_is_left_of_a_longer_file_is_thrown_away(server, fetch, target, part):
    part.write_bytes(CONTENT * 2)

    fetch()

    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == [NAME]


def test_a_wrong_hash_names_both_and_keeps_nothing(fetch, target):
    found = hashlib.md5(CONTENT).hexdigest()

    with pytest.raises(WrongWeightsError, match=f'md5:{found} .* with md5:04e291'):
        fetch(Digest('md5', '04e291'))

    assert os.listdir(target.parent) == []


def test_a_missing_file_is_an_error_at_once(server, fetch, target):
    server.files.clear()

    with pytest.raises(DownloadError, match='weights.pkl cannot .* 404 .* Put it here'):
        fetch()

    assert len(server.requests) == 1
    assert os.listdir(target.parent) == []


def test_a_server_that_fails_once_is_asked_again(server, fetch, target):
    server.acts.append(500)

    fetch()

    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_server_that_goes_on_failing_is_given_up(server, fetch):
    server.acts.extend([503] * 9)

    with pytest.raises(DownloadError, match=r'answers 503 .*\(4 attempts\)'):
        fetch()


def test_without_a_network_the_error_names_address_and_remedy(server, fetch, part):
    server.close()
    part.write_bytes(CONTENT[:1000])

    with pytest.raises(DownloadError, match='127.0.0.1.*weights.pkl.*Put it here'):
        fetch()

    assert part.read_bytes() == CONTENT[:1000], 'what was there is kept'


def test_a_full_disk_is_no_fault_of_the_network(server, fetch, monkeypatch):
    class FullDisk:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def write(self, block):
            raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module, '_open', lambda part, mode: FullDisk())

    with pytest.raises(SaveError, match='No space left on device'):
        fetch()

    assert len(server.requests) == 1


def test_progress_is_said_in_lines_where_there_is_no_terminal(fetch, capfd):
    fetch()

    lines = capfd.readouterr().err.splitlines()
    assert lines[0].startswith(f'{NAME}: 0 of ')
    assert '\x1b' not in ''.join(lines) and len(lines) <= 11


def test_progress_is_a_bar_on_a_terminal(fetch, capsys, monkeypatch):
    monkeypatch.setattr('sys.stderr.isatty', lambda: True)

    fetch()

    assert NAME in capsys.readouterr().err
