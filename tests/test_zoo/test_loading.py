# Copyright (c) onestage_pose contributors.
"""A published model finds people."""

from onestage_pose import load_model
from onestage_pose.apis.thresholds import BBOX_THR
from onestage_pose.zoo import get_model_files

import cv2
import measured
import numpy as np
import pytest
from matplotlib import cbook
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.apis import inference_bottomup

from tests.tool_runs import clear_global_state


@pytest.fixture(scope='module')
def photograph():
    """Grace Hopper, down to the elbows."""
    return cv2.imread(cbook.get_sample_data('grace_hopper.jpg', asfileobj=False))


@pytest.fixture(scope='module')
def nano():
    return load_model('nano', device='cpu')


def test_finds_the_person_on_the_photograph(nano, photograph):
    people = inference_bottomup(nano, photograph)[0].pred_instances
    assert people.bbox_scores[0] > BBOX_THR
    assert (people.bbox_scores[1:] < BBOX_THR).all()
    nose, left_eye, right_eye, *_, left_shoulder, right_shoulder = people.keypoints[
        0, [0, 1, 2, 5, 6]
    ]
    # where a look at the picture finds them, in pixels
    np.testing.assert_allclose(nose, (270, 238), atol=30)
    np.testing.assert_allclose(left_shoulder, (465, 420), atol=60)
    np.testing.assert_allclose(right_shoulder, (65, 400), atol=60)
    assert left_eye[0] > right_eye[0] and left_eye[1] < nose[1]


def test_knows_which_keypoints_a_portrait_does_not_show(nano, photograph):
    people = inference_bottomup(nano, photograph)[0].pred_instances
    presence = people.keypoint_presence[0]
    face, shoulders, knees_and_ankles = presence[:3], presence[5:7], presence[13:]
    assert min(*face, *shoulders) > 0.5
    assert knees_and_ankles.max() < 0.2


def test_what_is_cut_off_becomes_less_probable(nano, photograph):
    # above the shoulders, which lie at 400 pixels and more
    people, whole = (
        inference_bottomup(nano, image)[0].pred_instances
        for image in (photograph[:290], photograph)
    )
    shoulders, rest = people.keypoint_presence[0, 5:7], people.keypoint_presence[0, 7:]
    assert (shoulders < whole.keypoint_presence[0, 5:7] - 0.2).all()
    assert rest.max() < 0.5 < people.keypoint_presence[0, :3].min()


@pytest.mark.slow
def test_has_the_ap_that_is_documented(shared_dir, tmp_path):
    files = get_model_files('nano')
    cfg = Config.fromfile(files.config)
    cfg.work_dir, cfg.load_from = str(tmp_path), str(files.weights)
    cfg.test_dataloader.dataset.data_root = str(shared_dir / 'data/coco_pool')
    clear_global_state()
    metrics = Runner.from_cfg(cfg).test()
    documented = measured.read('nano')['test']
    names = ['coco/AP', 'coco/AP .5', 'coco/AP .75', 'coco/AP (M)', 'coco/AP (L)']
    for name in (*names, 'bbox/AP'):
        np.testing.assert_allclose(metrics[name], documented[name], atol=0.0011)
