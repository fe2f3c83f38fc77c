# Copyright (c) onestage_pose contributors.
from onestage_pose.evaluation.ground_truth import (
    check_ann_file,
    coco_content,
    metrics_table,
    person_category,
    sample_ground_truth,
)
from onestage_pose.utils.errors import AnnotationError

import pytest


def truth_of(img_id, *annotations):
    sample = dict(img_id=img_id, ori_shape=(40, 60), raw_ann_info=list(annotations))
    return sample_ground_truth(sample, 'metric')


def test_a_sample_gives_its_picture_and_people():
    assert truth_of(3, dict(id=1)) == dict(
        image=dict(id=3, width=60, height=40),
        annotations=[dict(id=1, image_id=3, category_id=1, iscrowd=0)],
    )


@pytest.mark.parametrize(('given', 'number'), [(None, 0), ([], 0), (dict(id=1), 1)])
def test_a_sample_may_hold_nobody_or_one_record(given, number):
    sample = dict(img_id=3, ori_shape=(40, 60), raw_ann_info=given)
    assert len(sample_ground_truth(sample, 'metric')['annotations']) == number


def test_the_crowd_index_goes_with_the_picture():
    sample = dict(img_id=3, ori_shape=(40, 60), raw_ann_info=[], crowd_index=0.4)
    assert sample_ground_truth(sample, 'metric')['image']['crowdIndex'] == 0.4


def test_a_sample_without_ground_truth_names_the_remedy():
    with pytest.raises(ValueError, match='KeypointCocoMetric has no ground truth for'):
        sample_ground_truth(dict(img_id=3), 'KeypointCocoMetric')


def test_a_picture_that_comes_twice_counts_once():
    truth = truth_of(3, dict(id=1))
    content = coco_content([truth, truth])
    assert (len(content['images']), len(content['annotations'])) == (1, 1)


def test_people_of_one_picture_may_come_one_by_one():
    content = coco_content([truth_of(3, dict(id=1)), truth_of(3, dict(id=2))])
    assert len(content['images']) == 1
    assert [ann['id'] for ann in content['annotations']] == [1, 2]


def test_people_of_two_pictures_may_have_the_same_ids():
    content = coco_content([truth_of(3, dict(id=1)), truth_of(4, dict(id=1))])
    assert [ann['image_id'] for ann in content['annotations']] == [3, 4]


@pytest.mark.parametrize(
    ('record', 'message'),
    [
        (dict(id=1, iscrowd='no'), "annotation id=1 has iscrowd='no', expected 0 or 1"),
        (dict(id=1, category_id=[1]), r'category_id=\[1\], which is not an integer'),
        (dict(id='a'), "id='a', which is not an integer"),
        (dict(id=1, image_id=9), 'belongs to image_id=9, which is not in "images"'),
    ],
)
def test_a_wrong_record_of_a_sample_is_named(record, message):
    with pytest.raises(AnnotationError, match=f'metric: .*{message}'):
        truth_of(3, record)


def test_the_annotations_are_copies():
    annotation = dict(id=1)
    coco_content([truth_of(3, annotation)])['annotations'][0]['ignore'] = 1
    assert annotation == dict(id=1)


def test_missing_category_and_crowd_flag_are_filled_in():
    content = coco_content([truth_of(3, dict(id=1))])
    assert content['annotations'] == [dict(id=1, image_id=3, category_id=1, iscrowd=0)]


@pytest.mark.parametrize(
    ('used', 'categories', 'expected'),
    [
        ([7], [], 7),
        ([2, 5], [dict(id=2, name='dog'), dict(id=5, name='person')], 5),
        ([2, 5], [dict(id=2, name='dog')], 1),
        ([], [], 1),
    ],
)
def test_the_category_of_people(used, categories, expected):
    annotations = [dict(category_id=id_) for id_ in used]
    content = dict(annotations=annotations, categories=categories)
    assert person_category(content) == expected


def test_a_missing_annotation_file_of_a_metric_is_named():
    with pytest.raises(FileNotFoundError, match=r'absent\.json: the annotation file'):
        check_ann_file('absent.json', 'KeypointCocoMetric')


def test_the_table_shows_a_dash_where_nothing_was_measured():
    text = metrics_table('People', {'AP': 0.5, 'AP (M)': -1.0})
    assert text == 'People\n     AP   AP (M)\n 0.5000        -'
