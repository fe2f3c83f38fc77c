# Copyright (c) onestage_pose contributors.
"""Checkpoints of this project carry skeleton and config with the weights."""

from onestage_pose.checkpoints.converters import read_mmpose, write_mmpose
from onestage_pose.checkpoints.loading import load_from_local
from onestage_pose.checkpoints.trusted_config import read_trusted_config
from onestage_pose.utils.errors import ConversionError

import numpy as np
import pytest
import torch
from mmengine.config import Config

from tests.tool_runs import REPOSITORY

WEIGHTS = {'conv.weight': torch.rand(2, 3), 'norm.count': torch.tensor(4)}


@pytest.fixture(scope='module')
def config():
    name = 'configs/keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'
    return Config.fromfile(REPOSITORY / name)


@pytest.fixture
def written(tmp_path, config):
    write_mmpose(WEIGHTS, config, tmp_path / 'ours.pth')
    return tmp_path / 'ours.pth'


def test_weights_are_read_back(written):
    weights, unused = read_mmpose(written)
    assert list(weights) == list(WEIGHTS) and unused == ['meta']
    assert all(torch.equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)


def test_skeleton_is_that_of_the_data_set(written):
    meta = load_from_local(str(written))['meta']['dataset_meta']
    assert meta['dataset_name'] == 'coco' and meta['num_keypoints'] == 17
    assert isinstance(meta['sigmas'], np.ndarray) and len(meta['sigmas']) == 17


def test_config_is_kept_as_plain_values(written, config):
    kept = read_trusted_config(str(written))
    assert kept.model.to_dict() == {**config.model, 'backbone': kept.model.backbone}


def test_nothing_else_is_left_in_the_folder(written):
    assert [file.name for file in written.parent.iterdir()] == [written.name]


def test_a_model_saved_from_its_data_parallel_wrapper(tmp_path):
    wrapped = {f'module.{name}': tensor for name, tensor in WEIGHTS.items()}
    torch.save(dict(state_dict=wrapped), tmp_path / 'wrapped.pth')
    assert list(read_mmpose(tmp_path / 'wrapped.pth')[0]) == list(WEIGHTS)


def test_a_checkpoint_of_detectron2_is_refused(tmp_path):
    torch.save(dict(model={}), tmp_path / 'theirs.pth')
    with pytest.raises(ConversionError, match=r'theirs\.pth .*leave --reverse out'):
        read_mmpose(tmp_path / 'theirs.pth')


def test_what_is_no_tensor_is_named(tmp_path):
    torch.save(dict(state_dict={'conv.weight': 3}), tmp_path / 'odd.pth')
    with pytest.raises(ConversionError, match=r"odd\.pth: state_dict\['conv.weight'\]"):
        read_mmpose(tmp_path / 'odd.pth')
