# Copyright (c) onestage_pose contributors.
"""The config that puts a GCM head on a published trunk: its first steps."""

import hashlib
import pickle

from onestage_pose.utils import get_config_path
from onestage_pose.zoo.digest import Digest
from onestage_pose.zoo.table import MODELS

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper

from tests.detectron2_arrays import constants, narrow_arrays, narrow_config
from tests.model_factory import (
    build_as_runner,
    collate,
    initialise,
    make_people,
    make_picture,
    make_sample,
)

CONFIG = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_1x_coco_from-keypoint-rcnn.py'
TRUNK = 'keypoint-rcnn_r50_fpn_3x_coco'
HEAD = 'roi_head.keypoint_head.'
SIZE = (64, 96)
NARROW = {
    'model.backbone.base_channels': 4,
    'model.neck.in_channels': [16, 32, 64, 128],
    'model.neck.out_channels': 8,
    'model.rpn_head.in_channels': 8,
    'model.rpn_head.feat_channels': 8,
    'model.roi_head.bbox_roi_extractor.out_channels': 8,
    'model.roi_head.bbox_head.in_channels': 8,
    'model.roi_head.bbox_head.fc_out_channels': 8,
    'model.roi_head.keypoint_roi_extractor.out_channels': 8,
    'model.roi_head.keypoint_head.in_channels': 8,
    'model.roi_head.keypoint_head.conv_out_channels': 16,
}


@pytest.fixture
def cfg(monkeypatch, home, tmp_path):
    """The config, narrow, with a narrow trunk brought to the cache under its name."""
    content = pickle.dumps(dict(model={**narrow_arrays(gcm=False), **constants()}))
    published = MODELS[TRUNK]._replace(
        config=str(narrow_config(tmp_path, gcm=False)),
        digest=Digest('md5', hashlib.md5(content).hexdigest()),
    )
    monkeypatch.setitem(MODELS, TRUNK, published)
    (home / TRUNK).mkdir(parents=True)
    (home / TRUNK / published.file_name).write_bytes(content)
    cfg = Config.fromfile(get_config_path(CONFIG))
    cfg.merge_from_dict(NARROW)
    return cfg


@pytest.fixture
def model(cfg):
    model = build_as_runner(cfg.model)
    initialise(model)
    return model


def test_starts_from_the_trunk_and_a_new_head(model):
    arrays = narrow_arrays(gcm=False)

    state = model.state_dict()
    for ours, theirs in {
        'backbone.layer1.0.conv1.weight': 'backbone.bottom_up.res2.0.conv1.weight',
        'neck.fpn_convs.0.conv.weight': 'backbone.fpn_output2.weight',
        'rpn_head.rpn_conv.weight': 'proposal_generator.rpn_head.conv.weight',
        'roi_head.bbox_head.fc_cls.weight': 'roi_heads.box_predictor.cls_score.weight',
    }.items():
        assert torch.equal(state[ours], torch.from_numpy(arrays[theirs])), ours
    deconv = torch.from_numpy(arrays['roi_heads.keypoint_head.score_lowres.weight'])
    assert not torch.equal(state[f'{HEAD}deconv.weight'], deconv)


def test_its_first_steps_teach_the_head_more_than_the_trunk(cfg, model):
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {name: value.clone() for name, value in model.named_parameters()}
    picture, people = make_picture(*SIZE), make_people(SIZE, 2)

    model.train()
    for _ in range(2):
        data = collate(model, [picture], [make_sample(SIZE, people)])
        loss, logged = model.parse_losses(model(**data, mode='loss'))
        wrapper.update_params(loss)

    assert torch.isfinite(loss) and logged['loss_keypoint'] > 0
    changed = {
        name
        for name, value in model.named_parameters()
        if not torch.equal(value, before[name])
    }
    assert f'{HEAD}deconv.weight' in changed
    assert 'neck.fpn_convs.0.conv.weight' in changed
    rates = {
        name: group['lr']
        for group in wrapper.param_groups
        for name, value in model.named_parameters()
        if any(value is each for each in group['params'])
    }
    assert rates['neck.fpn_convs.0.conv.weight'] == rates[f'{HEAD}deconv.weight'] / 4


def test_is_a_tenth_of_the_released_schedule(cfg):
    release = Config.fromfile(
        get_config_path('gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_1xb2-3x_coco.py')
    )

    assert 10 * cfg.train_cfg.max_iters == release.train_cfg.max_iters
