# Copyright (c) onestage_pose contributors.
from onestage_pose.models.utils.test_cfg import (
    KeypointTestCfg,
    PredictionCfg,
    RuntimeCfg,
)
from onestage_pose.utils.errors import ConfigValueError

import pytest


def test_nothing_is_on_by_default():
    options = KeypointTestCfg.read({}).model_dump()
    assert set(options.values()) == {None}


def test_what_the_model_is_and_how_it_is_run_share_no_option():
    assert not set(PredictionCfg.model_fields) & set(RuntimeCfg.model_fields)


def test_values_come_through():
    nms = dict(type='oks_nms', thr=0.9, sigmas=[0.1, 0.2])
    options = KeypointTestCfg.read(dict(flip_test=True, pose_nms=nms, rcnn=dict(a=1)))
    assert options.flip_test is True and options.rcnn == dict(a=1)
    assert options.pose_nms.model_dump() == nms


@pytest.mark.parametrize(
    ('test_cfg', 'message'),
    [
        (dict(flip_tset=True), 'Did you mean flip_test'),
        (dict(winograd='yes'), "winograd='yes': give True or False"),
        (dict(rescore_thr='high'), "rescore_thr='high'"),
        (dict(pose_nms='oks_nms'), "pose_nms='oks_nms'"),
        (dict(pose_nms=dict(thr=0.9)), 'pose_nms.type=None is unknown'),
        (dict(pose_nms=dict(type='oks_nms', thr='0.9')), "pose_nms.thr='0.9': Input"),
        (dict(pose_nms=dict(type='oks_nms', thr=0.9, a=1)), 'takes type, thr and sig'),
        (dict(rescore_thr=True), 'rescore_thr=True: Input should be a valid number'),
        (dict(rescore_thr=float('nan')), 'rescore_thr=nan: Input should be a finite'),
        (dict(rcnn=dict(score_thr='0.05')), r"rcnn.score_thr='0.05' is invalid"),
        (dict(rcnn=dict(scores_thr=0.05)), 'rcnn.scores_thr .*Did you mean score_thr'),
        (dict(rpn=dict(max_per_img=1.5)), 'rpn.max_per_img=1.5 .*a whole number'),
        (dict(rpn=dict(nms=None)), 'rpn.nms=None is invalid, give a dict'),
    ],
)
def test_what_is_wrong_is_named(test_cfg, message):
    with pytest.raises(ConfigValueError, match=message):
        KeypointTestCfg.read(test_cfg)
