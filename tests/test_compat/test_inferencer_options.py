# Copyright (c) onestage_pose contributors.
"""``bbox_thr`` of mmpose's inferencers reaches this project's models."""

from onestage_pose.apis import install

import numpy as np
import pytest
from mmpose.apis import MMPoseInferencer, Pose2DInferencer

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

    install()

    assert Pose2DInferencer.forward_kwargs == before
