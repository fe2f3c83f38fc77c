# Copyright (c) onestage_pose contributors.
"""The written config is plain, whole, and fits the data."""

import functools
from pathlib import Path

from onestage_pose.data_tools.fine_tuning.config import (
    DataFacts,
    Part,
    make_config,
    write_relative,
)
from onestage_pose.data_tools.fine_tuning.schedule import choose_schedule
from onestage_pose.data_tools.fine_tuning.skeleton import make_metainfo
from onestage_pose.utils import get_config_path

import pytest
from mmengine.config import Config

NANO = 'nano/keypoint-rcnn_movenet-multipose_fpn_people_pyramid.py'
LARGE = 'keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'
NAMES = ['nose', 'tail']


@functools.cache
def read(base):
    return Config.fromfile(get_config_path(base))


def written(tmp_path, base=NANO, flip=True, **facts):
    """The config that is made for two keypoints, as a user reads it."""
    facts = (
        dict(
            names=NAMES,
            area_ratio=0.7,
            most_instances=3,
            object_share=0.5,
            num_bytes=1e6,
        )
        | facts
    )
    train, val = (
        Part(f'{{{{ fileDirname }}}}/{name}.json', '/data/images', 24)
        for name in ('train', 'val')
    )
    text = make_config(
        read(base),
        make_metainfo('mine', facts['names']),
        train,
        val,
        DataFacts(**facts),
        choose_schedule(24, 4),
        flip,
        seed=3,
        num_workers=1,
        head='# mine',
    )
    path = tmp_path / 'config.py'
    path.write_text(text)
    return Config.fromfile(path)


@pytest.mark.parametrize('base', [NANO, LARGE])
def test_it_stands_alone_and_fits_two_keypoints(tmp_path, base):
    cfg = written(tmp_path, base)
    assert '_base_' not in (tmp_path / 'config.py').read_text()
    assert cfg.load_from == f'{tmp_path}/start.pth'
    assert cfg.train_dataloader.dataset.ann_file == f'{tmp_path}/train.json'
    assert cfg.model.roi_head.keypoint_head.num_keypoints == 2
    assert 'checkpoint' not in cfg.model.backbone.get('init_cfg', {})
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.metainfo.sigmas == [0.026, 0.05]
    assert cfg.randomness.seed == 3


def test_the_rest_is_the_published_models(tmp_path):
    cfg, base = written(tmp_path), read(NANO)
    for part in ('neck', 'rpn_head', 'data_preprocessor'):
        assert cfg.model[part] == base.model[part]
    assert cfg.custom_hooks == base.custom_hooks
    assert cfg.default_hooks.keys() == base.default_hooks.keys()


def test_the_backbones_prior_goes_to_the_keypoints_it_knows(tmp_path):
    head = written(tmp_path).model.roi_head.keypoint_head
    assert head.prior_channels == [0, None]


def test_sigmas_stand_once_and_the_area_ratio_is_that_of_the_data(tmp_path):
    codec = written(tmp_path).model.roi_head.codec
    assert 'sigmas' not in codec
    assert codec.area_ratio == pytest.approx(0.7 / 1.25**2, abs=1e-3)


def test_images_are_mirrored_only_where_it_is_said(tmp_path):
    kinds = [
        [each.type for each in written(tmp_path, base, flip=flip).train_pipeline]
        for base in (NANO, LARGE)
        for flip in (True, False)
    ]
    assert ['PoseRandomFlip' in each for each in kinds] == [True, False, True, False]


def test_crowded_images_get_more_predictions(tmp_path):
    assert written(tmp_path, most_instances=70).model.test_cfg.rcnn.max_per_img == 140


def test_small_objects_get_larger_images(tmp_path):
    scales = [
        written(tmp_path, object_share=share).test_pipeline[1].scale
        for share in (0.5, 0.1, 0.001)
    ]
    assert scales == [(512, 512), (640, 640), (1024, 1024)]


@pytest.mark.parametrize(('base', 'is_kept'), [(NANO, True), (LARGE, False)])
def test_crowds_are_kept_where_the_model_ignores_them(tmp_path, base, is_kept):
    dataset = written(tmp_path, base).train_dataloader.dataset
    assert dataset.get('keep_crowds', False) is is_kept


def test_images_without_objects_are_trained_on(tmp_path):
    dataset = written(tmp_path).train_dataloader.dataset
    assert dataset.filter_cfg == dict(min_keypoints=0)


def test_many_images_are_not_kept_in_memory(tmp_path):
    kept = [
        written(tmp_path, num_bytes=size).train_pipeline[0].keep_in_memory
        for size in (1e6, 1e11)
    ]
    assert kept == [True, False]


def test_paths_below_the_folder_move_with_it():
    folder = Path('/runs/mine')
    assert write_relative(folder / 'a/b.json', folder) == '{{ fileDirname }}/a/b.json'
    assert write_relative(Path('/data/b.json'), folder) == '/data/b.json'
