# Copyright (c) onestage_pose contributors.
"""``bbox_thr`` of mmpose's inferencers reaches this project's models."""

import inspect

from onestage_pose.compat.mmpose_inferencer_options import add_option

import numpy as np
import pytest
from mmpose.apis import MMPoseInferencer, Pose2DInferencer
from mmpose.apis.inferencers import pose2d_inferencer

from tests.test_apis.tiny_model import picture


def box_scores(inferencer, **options):
    result = next(inferencer(picture(), **options))
    return [person['bbox_score'] for person in result['predictions'][0]]


@pytest.fixture(scope='module')
def inferencer(tiny):
    return MMPoseInferencer(*tiny, device='cpu')


def test_without_bbox_thr_all_are_kept(inferencer):
    assert len(box_scores(inferencer)) == 3


def test_people_not_over_bbox_thr_are_left_out(inferencer):
    scores = box_scores(inferencer)
    threshold = float(np.sort(scores)[1])

    kept = box_scores(inferencer, bbox_thr=threshold)

    assert kept == [score for score in scores if score > threshold]


def test_bbox_thr_of_one_call_does_not_outlast_it(inferencer):
    box_scores(inferencer, bbox_thr=1.0)

    assert len(box_scores(inferencer)) == 3


def test_pose2d_inferencer_takes_it_too(tiny):
    assert box_scores(Pose2DInferencer(*tiny, device='cpu'), bbox_thr=1.0) == []


def test_installing_again_changes_nothing():
    before = Pose2DInferencer.forward_kwargs

    add_option(pose2d_inferencer)

    assert Pose2DInferencer.forward_kwargs == before


def test_mmpose_still_needs_it():
    source = inspect.getsource(Pose2DInferencer)
    named = source.split('forward_kwargs', 1)[1].split('}', 1)[0]

    assert 'bbox_thr' not in named, 'mmpose names bbox_thr: the patch can go'
