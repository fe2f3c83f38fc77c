# Copyright (c) onestage_pose contributors.
"""Descriptions of mmpose's data sets are found without a warning."""

import warnings

from onestage_pose.compat.mmpose_metainfo import find_installed_files

import mmpose.apis.inference
import pytest
from mmpose.datasets.datasets import utils

COCO = dict(from_file='configs/_base_/datasets/coco.py')


def test_installed_description_is_taken_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        metainfo = utils.parse_pose_metainfo(COCO)

    assert metainfo['dataset_name'] == 'coco'


def test_file_that_is_there_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    info = dict(
        dataset_name='mine',
        keypoint_info={0: dict(name='a', id=0, color=[0, 0, 0], type='', swap='')},
        skeleton_info={},
        joint_weights=[1.0],
        sigmas=[0.1],
    )
    (tmp_path / 'coco.py').write_text(f'dataset_info = {info!r}')

    assert utils.parse_pose_metainfo(dict(from_file='coco.py'))['num_keypoints'] == 1


def test_unknown_file_is_mmposes_error():
    with pytest.raises(FileNotFoundError, match='no_such_set.py'):
        utils.parse_pose_metainfo(dict(from_file='no_such_set.py'))


def test_the_dict_that_is_given_is_left_as_it_is():
    given = dict(COCO)

    utils.parse_pose_metainfo(given)

    assert given == COCO


def test_modules_that_were_imported_before_have_it():
    assert mmpose.apis.inference.parse_pose_metainfo is utils.parse_pose_metainfo


def test_replacing_again_changes_nothing():
    before = utils.parse_pose_metainfo

    find_installed_files(utils)

    assert utils.parse_pose_metainfo is before


def test_mmpose_still_needs_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.warns(UserWarning, match='does not exist. A matched config file'):
        utils.parse_pose_metainfo.__wrapped__(COCO)
