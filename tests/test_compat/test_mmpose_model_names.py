# Copyright (c) onestage_pose contributors.
"""Names of models in mmpose's inferencers."""

import inspect

from onestage_pose import load_model
from onestage_pose.apis.thresholds import BBOX_THR
from onestage_pose.compat.mmpose_model_names import add_names
from onestage_pose.utils.errors import UsageError

import cv2
import numpy as np
import pytest
from matplotlib import cbook
from mmengine.infer import BaseInferencer
from mmpose.apis import MMPoseInferencer, Pose2DInferencer, inference_bottomup
from mmpose.apis.inferencers import pose2d_inferencer


@pytest.fixture(scope='module')
def photograph():
    """Grace Hopper, down to the elbows."""
    return cv2.imread(cbook.get_sample_data('grace_hopper.jpg', asfileobj=False))


@pytest.fixture(scope='module')
def nano():
    return load_model('nano', device='cpu')


def test_is_what_mmposes_inferencer_finds_by_the_name(nano, photograph):
    inferencer = MMPoseInferencer(pose2d='nano', device='cpu')
    found = next(inferencer(photograph, bbox_thr=BBOX_THR))['predictions'][0]
    expected = inference_bottomup(nano, photograph)[0].pred_instances
    assert len(found) == 1
    np.testing.assert_allclose(found[0]['keypoints'], expected.keypoints[0])


def test_the_name_is_looked_up_in_any_case():
    inferencer = MMPoseInferencer(pose2d='Nano', device='cpu')

    assert type(inferencer.inferencer.model).__name__ == 'KeypointRCNN'


def test_mmposes_own_names_mean_what_they_did():
    with pytest.raises(ValueError, match='Cannot find model: no-such-model'):
        Pose2DInferencer('no-such-model')


@pytest.mark.parametrize(
    ('name', 'meant'),
    [
        ('keypoint-rcnn_r50_fpn_3x_cocoo', 'keypoint-rcnn_r50_fpn_3x_coco'),
        ('vitpos', 'vitpose'),
    ],
)
def test_a_misspelt_name_suggests_the_nearest_of_both(name, meant):
    with pytest.raises(UsageError, match=f'{name}.* Did you mean {meant}'):
        MMPoseInferencer(pose2d=name, device='cpu')


def test_adding_again_changes_nothing():
    before = Pose2DInferencer._load_model_from_metafile

    add_names(pose2d_inferencer, lambda name: None)

    assert Pose2DInferencer._load_model_from_metafile is before


def test_mmengine_still_needs_it():
    source = inspect.getsource(BaseInferencer._load_model_from_metafile)

    assert 'MODULE2PACKAGE' in source, 'other packages may have models: look again'
