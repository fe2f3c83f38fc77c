# Copyright (c) onestage_pose contributors.
"""The files of the published models."""

from onestage_pose.zoo import files as model_files
from onestage_pose.zoo import get_model_files, load_model
from onestage_pose.zoo.table import MODELS

import pytest
import torch
from mmengine.runner import CheckpointLoader

MEGABYTE = 10**6
PACKAGED = [name for name, model in MODELS.items() if model.weights]


@pytest.mark.parametrize('name', PACKAGED)
class TestFilesInThePackage:
    def test_are_named_after_config_and_hash(self, name):
        files = get_model_files(name)
        assert files.weights.stem == f'{files.config.stem}-{files.sha256[:8]}'

    def test_weights_are_small_and_half_precision(self, name):
        weights = get_model_files(name).weights
        assert weights.stat().st_size <= 16 * MEGABYTE
        checkpoint = CheckpointLoader.load_checkpoint(str(weights), 'cpu')
        assert set(checkpoint) == {'meta', 'state_dict'}
        dtypes = {value.dtype for value in checkpoint['state_dict'].values()}
        assert dtypes <= {torch.float16, torch.int64}

    def test_weights_know_the_skeleton(self, name):
        weights = get_model_files(name).weights
        checkpoint = CheckpointLoader.load_checkpoint(str(weights), 'cpu')
        assert checkpoint['meta']['dataset_meta']['num_keypoints'] == 17


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no published model 'nanno'.* 'nano'"):
        load_model('nanno')


def test_missing_weights_are_named_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(model_files, 'WEIGHTS', tmp_path)
    with pytest.raises(FileNotFoundError, match='install onestage_pose again'):
        get_model_files('nano')


def test_other_weights_are_refused(monkeypatch, tmp_path):
    name = get_model_files('nano').weights.name
    (tmp_path / name).write_bytes(b'something else')
    monkeypatch.setattr(model_files, 'WEIGHTS', tmp_path)
    with pytest.raises(ValueError, match=f'{name}: these are not the weights'):
        load_model('nano')
