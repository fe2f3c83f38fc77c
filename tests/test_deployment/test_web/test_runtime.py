# Copyright (c) onestage_pose contributors.
"""onnxruntime-web is downloaded once, verified, or taken from a folder."""

import hashlib
import io
import tarfile

from onestage_pose.deployment.web import get_runtime, runtime
from onestage_pose.utils.errors import DownloadError, UsageError, WrongWeightsError
from onestage_pose.zoo.digest import Digest

import pytest

from tests.loopback_server import LoopbackServer

FILES = {name: name.encode() for name in runtime.FILES}


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A small package in the place of the real one, its bytes; the cache is empty."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode='w:gz') as archive:
        for name, text in FILES.items():
            entry = tarfile.TarInfo(f'package/dist/{name}')
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    digest = Digest('sha512', hashlib.sha512(content.getvalue()).hexdigest())
    digests = {
        name: Digest('sha256', hashlib.sha256(text).hexdigest())
        for name, text in FILES.items()
    }
    monkeypatch.setattr(runtime, 'PACKAGE', digest)
    monkeypatch.setattr(runtime, 'FILES', digests)
    monkeypatch.setenv('ONESTAGE_POSE_HOME', str(tmp_path / 'home'))
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(name, raising=False)
    return content.getvalue()


@pytest.fixture
def mirror(package, monkeypatch):
    with LoopbackServer() as server:
        server.files.update(FILES)
        monkeypatch.setenv('ONESTAGE_POSE_MIRROR', server.url)
        yield server


def test_it_is_downloaded_once_and_only_its_files_are_kept(mirror):
    folder = get_runtime()
    again = get_runtime()

    assert again == folder
    assert len(mirror.requests) == len(FILES)
    kept = {each.name: each.read_bytes() for each in folder.iterdir()}
    assert {name: text for name, text in kept.items() if name != '.lock'} == FILES


def test_the_address_is_that_of_the_version(package, monkeypatch):
    asked = []

    def fetch(name, url, digest, folder):
        asked.append(url)
        (folder / url.rpartition('/')[2]).write_bytes(FILES[url.rpartition('/')[2]])
        return folder, True

    monkeypatch.setattr(runtime, 'fetch', fetch)
    get_runtime()

    folder = f'https://cdn.jsdelivr.net/npm/onnxruntime-web@{runtime.VERSION}/dist'
    assert asked == [f'{folder}/{name}' for name in FILES]


def test_a_mirror_that_is_a_folder_is_copied_from(package, monkeypatch, tmp_path):
    monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path))
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(text)

    folder = get_runtime()

    assert folder != tmp_path
    assert all((folder / name).read_bytes() == text for name, text in FILES.items())


def test_without_a_network_the_way_with_one_file_is_told(
    package, monkeypatch, tmp_path
):
    monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path))

    told = r'npm pack onnxruntime-web@\S+` .* give \S+\.tgz by --ort'
    with pytest.raises(DownloadError, match=told):
        get_runtime()


def test_a_file_of_another_hash_is_refused(mirror):
    mirror.files['ort.wasm.min.mjs'] += b'more'

    with pytest.raises(WrongWeightsError, match='should begin with sha256:'):
        get_runtime()


def test_a_package_of_another_hash_is_refused(package, tmp_path):
    (tmp_path / 'ort.tgz').write_bytes(package + b'more')

    with pytest.raises(WrongWeightsError, match='should begin with sha512:'):
        get_runtime(tmp_path / 'ort.tgz')


def test_a_file_of_the_cache_that_has_changed_is_replaced(mirror):
    changed = get_runtime() / 'ort.wasm.min.mjs'
    changed.write_bytes(b'changed')

    get_runtime()

    assert changed.read_bytes() == FILES[changed.name]


def test_a_package_as_a_file_needs_no_network(package, tmp_path):
    (tmp_path / 'ort.tgz').write_bytes(package)

    folder = get_runtime(tmp_path / 'ort.tgz')

    assert set(FILES) <= {each.name for each in folder.iterdir()}


def test_a_folder_is_used_where_it_is(package, tmp_path):
    dist = tmp_path / 'dist'
    dist.mkdir()
    for name, text in FILES.items():
        (dist / name).write_bytes(text)

    assert get_runtime(tmp_path) == dist


def test_a_folder_without_the_files_is_refused(package, tmp_path):
    with pytest.raises(UsageError, match='--ort: .* does not have ort'):
        get_runtime(tmp_path)


def test_a_folder_of_another_version_is_refused(package, tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes(b'other')

    with pytest.raises(WrongWeightsError, match=f'files of .*{runtime.VERSION}'):
        get_runtime(tmp_path)
