# Copyright (c) onestage_pose contributors.
import subprocess
import sys

from onestage_pose.datasets import (
    LoadPoseImage,
    PackKeypointRCNNInputs,
    PersonKeypointsDataset,
    PoseResize,
)

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import DefaultScope
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer


def results_of(num_people=2, **changes):
    """What a dataset and LoadPoseImage leave of a 40x60 image."""
    base = dict(
        img=np.zeros((40, 60, 3), np.uint8),
        img_shape=(40, 60),
        ori_shape=(40, 60),
        img_id=3,
        id=list(range(num_people)),
        dataset_name='coco',
        bbox=np.zeros((num_people, 4), np.float32),
        bbox_score=np.ones(num_people, np.float32),
        keypoints=np.zeros((num_people, 17, 2), np.float32),
        keypoints_visible=np.zeros((num_people, 17), np.float32),
        category_id=np.ones(num_people, np.int64),
    )
    return dict(base, **changes)


def pack(**changes):
    return PackKeypointRCNNInputs().transform(results_of(**changes))


def forms(instances):
    return {key: (tuple(value.shape), value.dtype) for key, value in instances.items()}


def test_the_image_becomes_a_tensor_of_its_type():
    inputs = pack()['inputs']
    assert (inputs.shape, inputs.dtype) == ((3, 40, 60), torch.uint8)


def test_labels_are_what_the_loss_takes():
    assert forms(pack(num_people=2)['data_samples'].gt_instance_labels) == {
        'bboxes': ((2, 4), torch.float32),
        'labels': ((2,), torch.int64),
        'keypoints': ((2, 17, 2), torch.float32),
        'keypoints_visible': ((2, 17), torch.float32),
    }


def test_nobody_keeps_the_shapes():
    assert forms(pack(num_people=0)['data_samples'].gt_instance_labels) == {
        'bboxes': ((0, 4), torch.float32),
        'labels': ((0,), torch.int64),
        'keypoints': ((0, 17, 2), torch.float32),
        'keypoints_visible': ((0, 17), torch.float32),
    }


def test_people_are_labelled_0_unless_the_dataset_says_else():
    given = pack(bbox_label=np.array([1, 2]))['data_samples']
    assert pack()['data_samples'].gt_instance_labels.labels.tolist() == [0, 0]
    assert given.gt_instance_labels.labels.tolist() == [1, 2]


def test_masks_are_packed_as_mmdet_has_them():
    masks = BitmapMasks(np.ones((2, 40, 60), np.uint8), 40, 60)
    packed = pack(gt_masks=masks)['data_samples'].gt_instance_labels
    assert packed.masks is masks


def test_instances_are_mmposes_numpy_annotations():
    sample = pack()['data_samples']
    assert isinstance(sample, PoseDataSample)
    assert sorted(sample.gt_instances.keys()) == [
        'bbox_scores',
        'bboxes',
        'keypoints',
        'keypoints_visible',
    ]


def test_labels_do_not_share_memory_with_instances():
    sample = pack()['data_samples']
    sample.gt_instance_labels.keypoints += 1
    assert sample.gt_instances.keypoints.sum() == 0


def test_the_category_stays_out_of_the_metainfo():
    assert 'category_id' not in pack()['data_samples']


def test_an_image_that_was_not_resized_has_scale_factor_1():
    assert pack()['data_samples'].scale_factor == (1.0, 1.0)


def test_the_scale_factor_of_a_resized_one_is_kept():
    results = PoseResize(scale=(120, 80), keep_ratio=True).transform(results_of())
    sample = PackKeypointRCNNInputs().transform(results)['data_samples']
    assert sample.scale_factor == (2.0, 2.0)


def test_annotations_left_in_another_frame_are_no_labels():
    resize = PoseResize(scale=(120, 80), keep_ratio=True, image_only=True)
    sample = PackKeypointRCNNInputs().transform(resize.transform(results_of()))
    assert len(sample['data_samples'].gt_instance_labels.keys()) == 0
    assert sample['data_samples'].gt_instances.bboxes.shape == (2, 4)


def test_an_image_without_annotations_is_packed_for_an_inferencer():
    results = LoadPoseImage().transform(
        dict(img=np.zeros((40, 60, 3), np.uint8), dataset_name='coco')
    )
    sample = PackKeypointRCNNInputs().transform(results)['data_samples']
    assert sample.ori_shape == (40, 60)
    assert len(sample.gt_instance_labels.keys()) == 0


def test_the_results_of_the_pipeline_are_left_as_they_were():
    results = results_of()
    keys = set(results)
    PackKeypointRCNNInputs().transform(results)
    assert set(results) == keys


def test_mmposes_and_mmdets_colour_changes_fit_in_between():
    for distortion in ('PhotometricDistortion', 'mmdet.PhotoMetricDistortion'):
        with DefaultScope.overwrite_default_scope('mmpose'):
            pipeline = Compose(
                [
                    dict(type=distortion),
                    dict(type='PoseResize', scale=(120, 80), backend='pillow'),
                    dict(type='PackKeypointRCNNInputs'),
                ]
            )
        assert pipeline(results_of())['inputs'].shape == (3, 80, 120)


def test_mmposes_visualizer_draws_what_is_packed():
    keypoints = np.full((1, 17, 2), 20, np.float32)
    sample = pack(
        num_people=1, keypoints=keypoints, keypoints_visible=np.ones((1, 17))
    )['data_samples']
    visualizer = PoseLocalVisualizer()
    visualizer.set_dataset_meta(PersonKeypointsDataset(lazy_init=True).metainfo)
    black = np.zeros((40, 60, 3), np.uint8)
    visualizer.add_datasample('a', black, sample, draw_gt=True, draw_pred=False)
    assert visualizer.get_image().any()


def test_crowds_are_told_apart_from_the_people_to_learn_from():
    boxes = np.array([[0, 0, 4, 4], [1, 1, 9, 9], [2, 2, 6, 6]], np.float32)
    sample = pack(num_people=3, bbox=boxes, iscrowd=np.array([0, 1, 0]))['data_samples']
    assert sample.gt_instance_labels.bboxes.tolist() == boxes[[0, 2]].tolist()
    assert len(sample.gt_instance_labels.keypoints) == 2
    assert sample.ignored_instances.bboxes.tolist() == boxes[[1]].tolist()


def test_without_crowds_there_is_nothing_to_ignore():
    sample = pack(num_people=2, iscrowd=np.zeros(2, np.int64))['data_samples']
    assert 'ignored_instances' not in sample


# Prints how many threads packing starts.
COUNT_THREADS = """
import os
from onestage_pose.datasets import PackKeypointRCNNInputs
import numpy as np
import torch

def count():
    return len(os.listdir('/proc/self/task'))

torch.set_num_threads(4)
image = np.zeros((400, 400, 3), np.uint8)
pack = PackKeypointRCNNInputs()
before = count()
pack(dict(img=image, img_shape=(400, 400)))
print(count() - before)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='threads are counted in /proc')
def test_packing_starts_no_team_of_threads():
    """It would slow down the network's while images are loaded in threads."""
    words = [sys.executable, '-c', COUNT_THREADS]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert printed.splitlines()[-1] == '0'
