# Copyright (c) onestage_pose contributors.
"""What the data set gives, and what it refuses."""

import pickle

from onestage_pose.projects.synthetic_people import dataset
from onestage_pose.projects.synthetic_people.drawing import MAX_PEOPLE

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.evaluation.metrics import CocoMetric
from pycocotools import mask as mask_utils

from tests.test_projects.test_synthetic_people.people_sets import (
    SIZE,
    digest,
    digests,
    people_set,
)

# --- the same again


def test_an_image_does_not_depend_on_what_was_drawn_before_it():
    forward = digests(people_set(), range(6))
    backward = digests(people_set(), reversed(range(6)))
    assert forward == backward


def test_an_image_does_not_depend_on_global_random_state():
    dataset = people_set()
    np.random.seed(1)
    first = digest(dataset.get_data_info(0))
    np.random.seed(2)
    assert digest(dataset.get_data_info(0)) == first


def test_an_image_does_not_depend_on_how_many_there_are():
    few, many = people_set(num_images=3), people_set(num_images=30)
    assert digests(few, range(3)) == digests(many, range(3))


def test_a_subset_has_the_images_of_the_whole():
    subset = people_set(indices=[4, 2])
    expected = digests(people_set(), [4, 2])
    assert list(digests(subset, range(2)).values()) == list(expected.values())


def test_a_pickled_dataset_draws_the_same():
    dataset = people_set()
    copy = pickle.loads(pickle.dumps(dataset))
    assert digests(copy, range(2)) == digests(dataset, range(2))


def test_seeds_give_different_images():
    assert digest(people_set(seed=0)[0]) != digest(people_set(seed=1)[0])


def test_listing_draws_nothing(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('an image was drawn')

    monkeypatch.setattr(dataset, 'render', refuse)
    assert len(people_set(num_images=2000)) == 2000


# --- what an item holds


def test_shapes_and_dtypes_of_an_item():
    info = people_set(min_people=3, max_people=3, occlusion_prob=0, crop_prob=0)[0]
    found = {
        key: (value.shape, value.dtype.name)
        for key, value in info.items()
        if isinstance(value, np.ndarray) and key != 'dataset_keypoint_weights'
    }
    assert found == dict(
        img=((*SIZE, 3), 'uint8'),
        bbox=((3, 4), 'float32'),
        bbox_score=((3,), 'float32'),
        bbox_label=((3,), 'int64'),
        keypoints=((3, 17, 2), 'float32'),
        keypoints_visible=((3, 17), 'float32'),
        area=((3,), 'float32'),
        category_id=((3,), 'int64'),
        visibility_targets=((3, 17, 2), 'int8'),
    )


def test_an_image_without_people_is_empty_of_the_right_shapes():
    info = people_set(min_people=0, max_people=0)[0]
    shapes = [info[key].shape for key in ('bbox', 'keypoints', 'keypoints_visible')]
    assert shapes == [(0, 4), (0, 17, 2), (0, 17)]
    assert info['id'] == info['raw_ann_info'] == []


def test_annotation_ids_are_unique():
    ids = [id_ for info in people_set(max_people=6) for id_ in info['id']]
    assert len(set(ids)) == len(ids)


def test_records_say_what_the_arrays_say():
    info = people_set()[1]
    for n, record in enumerate(info['raw_ann_info']):
        flat = np.array(record['keypoints']).reshape(17, 3)
        x, y, w, h = record['bbox']
        np.testing.assert_allclose(flat[:, :2], info['keypoints'][n], atol=1e-3)
        np.testing.assert_array_equal(
            np.minimum(flat[:, 2], 1), info['keypoints_visible'][n]
        )
        np.testing.assert_allclose([x, y, x + w, y + h], info['bbox'][n])
        assert record['num_keypoints'] == (flat[:, 2] > 0).sum()
        assert record['id'] == info['id'][n]


def test_training_images_tell_which_keypoints_are_there_and_seen():
    data = people_set(crop_prob=1.0)
    kinds = set()
    for item in data:
        for record, targets in zip(item['raw_ann_info'], item['visibility_targets']):
            visibility = np.array(record['keypoints'][2::3])
            assert (targets[:, 0] == (visibility > 0)).all() or not visibility.any()
            assert (targets[visibility > 0, 1] == visibility[visibility > 0] - 1).all()
            kinds |= set(map(tuple, targets))
    assert kinds >= {(0, -1), (1, 0), (1, 1)}
    assert 'visibility_targets' not in people_set(test_mode=True)[0]


def test_every_size_of_a_list_is_drawn():
    sizes = [(96, 128), (160, 120)]
    dataset = people_set(img_size=sizes, num_images=12)
    assert {info['img'].shape[:2] for info in dataset} == set(sizes)


def test_outlines_cover_the_area():
    info = people_set(with_segmentation=True)[0]
    assert [mask_utils.area(rle) for rle in info['segmentation']] == list(info['area'])


# --- evaluation


def test_ground_truth_evaluates_as_perfect():
    dataset = people_set(num_images=8, min_people=0, test_mode=True)
    metric = CocoMetric()
    metric.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        n = len(info['bbox'])
        truth = InstanceData(
            keypoints=info['keypoints'],
            keypoint_scores=np.ones((n, 17), np.float32),
            bboxes=info['bbox'],
            bbox_scores=np.ones(n, np.float32),
        )
        sample = dict(
            id=info['id'],
            img_id=info['img_id'],
            ori_shape=info['img'].shape[:2],
            raw_ann_info=info['raw_ann_info'],
            pred_instances=truth,
            gt_instances={},
        )
        metric.process(None, [sample])
    assert metric.evaluate(len(dataset))['coco/AP'] == pytest.approx(1.0)


# --- bad arguments


@pytest.mark.parametrize(
    'options',
    [
        dict(num_images=0),
        dict(num_images=2.5),
        dict(img_size=320),
        dict(img_size=(320,)),
        dict(img_size=(8, 320)),
        dict(img_size=[]),
        dict(seed=-1),
        dict(min_people=-1),
        dict(max_people=MAX_PEOPLE + 1),
        dict(min_people=3, max_people=2),
        dict(person_height=(0.9, 0.2)),
        dict(person_height=0.5),
        dict(occlusion_prob=1.5),
        dict(crop_prob='often'),
    ],
    ids=str,
)
def test_a_bad_argument_is_named_with_what_to_give(options):
    with pytest.raises(ValueError, match=rf'{next(iter(options))}.*; give '):
        people_set(**options)


def test_a_misspelt_argument_is_refused():
    with pytest.raises(TypeError, match='max_poeple'):
        people_set(max_poeple=3)


def test_metainfo_of_other_keypoints_is_refused():
    with pytest.raises(ValueError, match='draws 17 keypoints'):
        people_set(metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'))
