# Copyright (c) onestage_pose contributors.
"""Metainfo files of mmpose are found from any working directory, without a warning."""

from pathlib import Path

from onestage_pose.datasets.metainfo import resolve_metainfo

COCO = 'configs/_base_/datasets/coco.py'


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
