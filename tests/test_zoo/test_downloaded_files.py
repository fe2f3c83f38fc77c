# Copyright (c) onestage_pose contributors.
"""Published models that do not come with the package: fetched, converted, kept."""

import hashlib
import multiprocessing
import os
import pickle
import shutil

import onestage_pose
from onestage_pose.apis.building import find_model
from onestage_pose.utils.errors import (
    ConversionError,
    DownloadError,
    UnsafeCheckpointError,
    UsageError,
    WrongWeightsError,
)
from onestage_pose.zoo import find_published, get_model_files, is_on_disk, load_model
from onestage_pose.zoo.digest import Digest, compute_hash
from onestage_pose.zoo.table import MODELS, PublishedModel

import numpy as np
import pytest
import torch
from mmengine.runner import CheckpointLoader

from tests.detectron2_arrays import constants, narrow_arrays, narrow_config

FILE = 'model_final_0.pkl'
WEIGHT = 'roi_heads.keypoint_head.score_lowres.weight'


class Program:
    """Asks for a program to be run when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f'touch {self.mark}',)


@pytest.fixture(scope='module')
def checkpoint():
    """A small Keypoint R-CNN as Detectron2 writes it."""
    arrays = {**narrow_arrays(gcm=False), **constants()}
    return pickle.dumps(dict(model=arrays, __author__='zoo'), 2)


@pytest.fixture
def publish(monkeypatch, server, tmp_path):
    """Publish the content of a file on the server, as the model 'narrow'."""

    def publish(content):
        server.files[FILE] = content
        model = PublishedModel(
            name='narrow',
            config=str(narrow_config(tmp_path, gcm=False)),
            digest=Digest('md5', hashlib.md5(content).hexdigest()[:6]),
            keypoint_ap=64.0,
            box_ap=53.6,
            evaluated_on='COCO val2017',
            licence='CC BY-SA 3.0',
            origin='Detectron2',
            url=f'{server.url}/{FILE}',
        )
        monkeypatch.setitem(MODELS, 'narrow', model)

    return publish


@pytest.fixture
def folder(publish, checkpoint, home):
    """Of the cache, for the model 'narrow', which is published."""
    publish(checkpoint)
    return home / 'narrow'


def kept(folder):
    """Names of the files of a folder, less the lock."""
    return sorted(set(os.listdir(folder)) - {'.lock'}) if folder.exists() else []


def test_the_checkpoint_is_converted_and_kept_with_its_hash(folder):
    config, weights, sha256 = get_model_files('narrow')

    assert kept(folder) == ['narrow.json', 'narrow.pth']
    assert weights == folder / 'narrow.pth'
    assert sha256 == compute_hash(weights)
    assert sha256 in (folder / 'narrow.json').read_text()


def test_the_model_has_the_published_weights(folder):
    model = load_model('narrow', device='cpu')

    deconv = model.roi_head.keypoint_head.deconv.weight.detach().numpy()
    assert np.array_equal(deconv, narrow_arrays(gcm=False)[WEIGHT])
    assert model.dataset_meta['keypoint_id2name'][16] == 'right_ankle'


def test_the_second_call_downloads_nothing(folder, server):
    first = get_model_files('narrow')

    assert get_model_files('Narrow') == first
    assert len(server.requests) == 1


def test_whether_a_model_is_on_the_disk_is_known_without_a_download(folder, server):
    before = is_on_disk('narrow')
    get_model_files('narrow')

    assert (before, is_on_disk('narrow')) == (False, True)
    assert len(server.requests) == 1


def test_tools_and_inferencers_find_it_by_its_name(folder):
    config, weights, _ = get_model_files('narrow')

    assert find_model('narrow', None) == (str(config), str(weights))
    assert onestage_pose._find_model('narrow') == (config, weights)


def test_the_download_is_kept_on_demand(folder, checkpoint):
    get_model_files('narrow', keep_download=True)

    assert (folder / FILE).read_bytes() == checkpoint


@pytest.mark.parametrize('name', ['narrow.pth', 'narrow.json'])
def test_a_damaged_cache_is_made_again(folder, name):
    expected = get_model_files('narrow').weights.read_bytes()
    (folder / name).write_bytes(b'{}')

    assert get_model_files('narrow').weights.read_bytes() == expected


def test_another_publication_under_the_name_is_fetched(folder, publish, server):
    get_model_files('narrow')
    arrays = {**narrow_arrays(gcm=False, seed=1), **constants()}
    publish(pickle.dumps(dict(model=arrays)))

    model = load_model('narrow', device='cpu')

    deconv = model.roi_head.keypoint_head.deconv.weight.detach().numpy()
    assert np.array_equal(deconv, arrays[WEIGHT])


def test_a_wrong_hash_keeps_nothing(folder, server):
    server.files[FILE] += b'x'

    with pytest.raises(WrongWeightsError, match='md5:.* should begin with md5:'):
        get_model_files('narrow')

    assert kept(folder) == []


def test_a_program_in_the_checkpoint_is_not_run_and_not_kept(publish, home, tmp_path):
    publish(pickle.dumps(dict(model=Program(tmp_path / 'ran'))))

    with pytest.raises(UnsafeCheckpointError, match='posix.system'):
        get_model_files('narrow')

    assert not (tmp_path / 'ran').exists()
    assert kept(home / 'narrow') == []


def test_a_checkpoint_of_another_model_is_not_kept(publish, home):
    publish(pickle.dumps(dict(model=dict(weight=np.ones(3, np.float32)))))

    with pytest.raises(ConversionError, match='1 .weight. unexpected'):
        get_model_files('narrow')

    assert kept(home / 'narrow') == []


def test_two_processes_at_once_do_the_work_once(folder, server):
    fork = multiprocessing.get_context('fork')
    barrier, found = fork.Barrier(2), fork.Queue()

    def work():
        # The pool of threads does not survive the fork.
        torch.set_num_threads(1)
        barrier.wait()
        found.put(get_model_files('narrow').sha256)

    processes = [fork.Process(target=work) for _ in range(2)]
    for process in processes:
        process.start()
    hashes = {found.get(timeout=120) for _ in processes}
    for process in processes:
        process.join()

    assert hashes == {compute_hash(folder / 'narrow.pth')}
    assert len(server.requests) == 1


def test_a_converted_checkpoint_is_known_wherever_it_lies(folder, tmp_path):
    shutil.copy(get_model_files('narrow').weights, tmp_path / 'copy.pth')
    (tmp_path / 'other.pth').write_bytes(b'something else')

    assert find_published(tmp_path / 'copy.pth').name == 'narrow'
    assert find_published(tmp_path / 'other.pth') is None


class TestWithoutNetwork:
    def test_the_error_names_the_address_and_the_place(self, folder, server):
        server.close()

        with pytest.raises(DownloadError) as error:
            get_model_files('narrow')

        assert f'put the file of {server.url}/{FILE} at {folder / FILE}' in str(
            error.value
        )

    def test_a_file_that_was_brought_is_converted_and_left_there(
        self, folder, server, checkpoint
    ):
        server.close()
        folder.mkdir(parents=True)
        (folder / FILE).write_bytes(checkpoint)

        get_model_files('narrow')

        assert kept(folder) == [FILE, 'narrow.json', 'narrow.pth']

    def test_a_wrong_file_that_was_brought_is_not_deleted(self, folder, server):
        server.close()
        folder.mkdir(parents=True)
        (folder / FILE).write_bytes(b'something else')

        with pytest.raises(WrongWeightsError, match='Delete it, or put the right one'):
            get_model_files('narrow')

        assert kept(folder) == [FILE]

    def test_a_cache_from_elsewhere_is_used(self, folder, server, monkeypatch):
        get_model_files('narrow')
        server.close()
        moved = shutil.move(folder.parent, folder.parents[1] / 'moved')
        monkeypatch.setenv('ONESTAGE_POSE_HOME', str(moved))

        assert get_model_files('narrow').weights.parent.parent.name == 'moved'


class TestMirror:
    def test_a_folder_has_the_file_under_its_own_name(
        self, folder, server, checkpoint, monkeypatch, tmp_path
    ):
        (tmp_path / FILE).write_bytes(checkpoint)
        monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path))

        get_model_files('narrow')

        assert not server.requests
        assert (tmp_path / FILE).exists()

    def test_a_folder_without_the_file_is_not_passed_over(
        self, folder, server, monkeypatch, tmp_path
    ):
        monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path))

        with pytest.raises(DownloadError, match=f'{FILE} does not .*MIRROR'):
            get_model_files('narrow')

        assert not server.requests

    def test_a_wrong_file_of_a_folder_is_refused(self, folder, monkeypatch, tmp_path):
        (tmp_path / FILE).write_bytes(b'something else')
        monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path))

        with pytest.raises(WrongWeightsError, match=FILE):
            get_model_files('narrow')

    def test_an_address_is_asked_for_the_name_of_the_file(
        self, folder, server, monkeypatch
    ):
        published = MODELS['narrow']._replace(url=f'https://nowhere.invalid/{FILE}')
        monkeypatch.setitem(MODELS, 'narrow', published)
        monkeypatch.setenv('ONESTAGE_POSE_MIRROR', f'{server.url}/zoo/')

        get_model_files('narrow')

        assert server.requests == [(FILE, None)]


class TestScheme:
    def test_load_from_takes_the_name(self, folder):
        checkpoint = CheckpointLoader.load_checkpoint('zoo://narrow', 'cpu')

        deconv = checkpoint['state_dict']['roi_head.keypoint_head.deconv.weight']
        assert np.array_equal(deconv, narrow_arrays(gcm=False)[WEIGHT])

    def test_an_unknown_name_suggests_the_nearest(self, folder):
        with pytest.raises(
            UsageError, match="no published model 'narow'; the models are 'narrow'"
        ):
            CheckpointLoader.load_checkpoint('zoo://narow', 'cpu')
