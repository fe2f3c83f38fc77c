# Copyright (c) onestage_pose contributors.
"""mmpose's parser of metainfo takes categories too."""

from onestage_pose.compat.mmpose_metainfo_categories import parse_categories

import mmpose.apis.inference
import pytest
from mmengine.config import Config
from mmpose.datasets.datasets import utils

from tests.kites_and_bars import METAINFO


def test_a_models_metainfo_is_read_from_its_config():
    cfg = Config(dict(train_dataloader=dict(dataset=dict(metainfo=METAINFO))))

    metainfo = mmpose.apis.inference.dataset_meta_from_config(cfg)

    assert [each['name'] for each in metainfo['categories']] == ['kite', 'bar']


def test_one_skeleton_is_parsed_as_mmpose_does():
    metainfo = utils.parse_pose_metainfo(dict(from_file='coco.py'))

    assert not {'categories', 'keypoint_categories'} & metainfo.keys()


def test_replacing_again_changes_nothing():
    before = utils.parse_pose_metainfo

    parse_categories(utils, None)

    assert utils.parse_pose_metainfo is before


def test_mmpose_still_needs_it():
    original = utils.parse_pose_metainfo
    while hasattr(original, '__wrapped__'):
        original = original.__wrapped__

    with pytest.raises(AssertionError):
        original(METAINFO)
