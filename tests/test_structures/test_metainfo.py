# Copyright (c) onestage_pose contributors.
from onestage_pose.structures.metainfo import load_sigmas

import pytest


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
