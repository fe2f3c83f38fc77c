# Copyright (c) onestage_pose contributors.
from pathlib import Path

from onestage_pose.structures.metainfo import load_sigmas, resolve_metainfo

import pytest

COCO = 'configs/_base_/datasets/coco.py'


def test_cocos_are_the_default():
    sigmas = load_sigmas()
    assert len(sigmas) == 17 and sigmas[0] == 0.026


def test_another_skeletons_by_the_name_of_its_metainfo():
    assert len(load_sigmas('configs/_base_/datasets/crowdpose.py')) == 14


def test_a_config_of_ones_own(tmp_path):
    path = tmp_path / 'hands.py'
    path.write_text('dataset_info = dict(sigmas=[0.1, 0.2])')
    assert load_sigmas(str(path)) == (0.1, 0.2)


def test_a_missing_config_is_named():
    with pytest.raises(FileNotFoundError, match='no_such_metainfo'):
        load_sigmas('no_such_metainfo.py')


def test_a_file_of_mmpose_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    found = Path(resolve_metainfo(dict(from_file=COCO))['from_file'])

    assert found.is_file()
    assert found.is_absolute() and found.as_posix().endswith(f'mmpose/.mim/{COCO}')


def test_a_file_of_the_working_directory_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'coco.py').write_text('')

    assert resolve_metainfo(dict(from_file='coco.py')) == dict(from_file='coco.py')


def test_an_unknown_file_is_left_to_mmpose():
    assert resolve_metainfo(dict(from_file='mine.py')) == dict(from_file='mine.py')


def test_metainfo_without_a_file_stays_as_it_is():
    metainfo = dict(dataset_name='mine')

    assert resolve_metainfo(metainfo) == metainfo


def test_the_argument_is_not_changed():
    metainfo = dict(from_file=COCO)

    resolve_metainfo(metainfo)

    assert metainfo == dict(from_file=COCO)
