# Copyright (c) onestage_pose contributors.
"""The models that come with the package, by name."""

import re

from onestage_pose.apis import (
    get_model_files,
    install,
    list_models,
    load_model,
)
from onestage_pose.zoo import models as model_zoo

import cv2
import numpy as np
import pytest
import torch
from matplotlib import cbook
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner
from mmpose.apis import MMPoseInferencer, Pose2DInferencer, inference_bottomup

from tests.tool_runs import REPOSITORY, clear_global_state

MEGABYTE = 10**6
ZOO = REPOSITORY / 'docs/model_zoo.md'


@pytest.fixture(scope='module')
def photograph():
    """Grace Hopper, down to the elbows."""
    return cv2.imread(cbook.get_sample_data('grace_hopper.jpg', asfileobj=False))


@pytest.fixture(scope='module')
def nano():
    return load_model('nano', device='cpu')


@pytest.mark.parametrize('name', list_models())
class TestFiles:
    def test_are_named_after_config_and_hash(self, name):
        files = get_model_files(name)
        assert files.weights.stem == f'{files.config.stem}-{files.sha256[:8]}'

    def test_weights_are_small_and_half_precision(self, name):
        weights = get_model_files(name).weights
        assert weights.stat().st_size <= 12 * MEGABYTE
        checkpoint = CheckpointLoader.load_checkpoint(str(weights), 'cpu')
        assert set(checkpoint) == {'meta', 'state_dict'}
        dtypes = {value.dtype for value in checkpoint['state_dict'].values()}
        assert dtypes <= {torch.float16, torch.int64}

    def test_weights_know_the_skeleton(self, name):
        weights = get_model_files(name).weights
        checkpoint = CheckpointLoader.load_checkpoint(str(weights), 'cpu')
        assert checkpoint['meta']['dataset_meta']['num_keypoints'] == 17


def test_finds_the_person_on_the_photograph(nano, photograph):
    people = inference_bottomup(nano, photograph)[0].pred_instances
    assert people.bbox_scores[0] > 0.5
    assert (people.bbox_scores[1:] < 0.5).all()
    nose, left_eye, right_eye, *_, left_shoulder, right_shoulder = people.keypoints[
        0, [0, 1, 2, 5, 6]
    ]
    # where a look at the picture finds them, in pixels
    np.testing.assert_allclose(nose, (270, 238), atol=30)
    np.testing.assert_allclose(left_shoulder, (465, 420), atol=60)
    np.testing.assert_allclose(right_shoulder, (65, 400), atol=60)
    assert left_eye[0] > right_eye[0] and left_eye[1] < nose[1]


def test_is_what_mmposes_inferencer_finds_by_the_name(nano, photograph):
    inferencer = MMPoseInferencer(pose2d='nano', device='cpu')
    found = next(inferencer(photograph, bbox_thr=0.5))['predictions'][0]
    expected = inference_bottomup(nano, photograph)[0].pred_instances
    assert len(found) == 1
    np.testing.assert_allclose(found[0]['keypoints'], expected.keypoints[0])


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no model 'nanno' comes with.* 'nano'"):
        load_model('nanno')


def test_missing_weights_are_named_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(model_zoo, 'WEIGHTS', tmp_path)
    with pytest.raises(FileNotFoundError, match='install onestage_pose again'):
        get_model_files('nano')


def test_other_weights_are_refused(monkeypatch, tmp_path):
    name = get_model_files('nano').weights.name
    (tmp_path / name).write_bytes(b'something else')
    monkeypatch.setattr(model_zoo, 'WEIGHTS', tmp_path)
    with pytest.raises(ValueError, match=f'{name}: these are not the weights'):
        load_model('nano')


def test_installing_twice_changes_nothing():
    before = Pose2DInferencer._load_model_from_metafile
    install()
    assert Pose2DInferencer._load_model_from_metafile is before


def test_mmposes_own_names_mean_what_they_did(monkeypatch):
    with pytest.raises(ValueError, match='Cannot find model: no-such-model'):
        Pose2DInferencer('no-such-model')


@pytest.mark.slow
def test_has_the_ap_that_is_documented(shared_dir, tmp_path):
    files = get_model_files('nano')
    cfg = Config.fromfile(files.config)
    cfg.work_dir, cfg.load_from = str(tmp_path), str(files.weights)
    cfg.test_dataloader.dataset.data_root = str(shared_dir / 'data/coco_pool')
    clear_global_state()
    metrics = Runner.from_cfg(cfg).test()
    row = re.search(r'^\| `nano` \|.*$', ZOO.read_text(), re.MULTILINE).group()
    documented = [float(cell) for cell in row.split('|')[6:12]]
    names = ['coco/AP', 'coco/AP .5', 'coco/AP .75', 'coco/AP (M)', 'coco/AP (L)']
    found = [metrics[name] for name in (*names, 'bbox/AP')]
    np.testing.assert_allclose(found, documented, atol=0.0011)
