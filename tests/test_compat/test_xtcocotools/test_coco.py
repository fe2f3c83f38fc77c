# Copyright (c) onestage_pose contributors.
"""Reading of annotations under xtcocotools' interface."""

import json

from onestage_pose.compat.xtcocotools.coco import COCO

import pytest


@pytest.fixture
def content():
    return dict(
        images=[dict(id=1), dict(id=2)],
        annotations=[
            dict(
                id=7,
                image_id=1,
                category_id=1,
                bbox=[0, 0, 10, 10],
                keypoints=[1, 2, 2, 3, 4, 1, 5, 6, 0],
            )
        ],
        categories=[dict(id=1, name='person')],
    )


@pytest.fixture
def path(content, tmp_path):
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(content))
    return str(path)


def test_file_is_read(path):
    assert COCO(path).getImgIds() == [1, 2]


def test_content_that_was_read_already_is_taken(path, content):
    del content['images'][1]

    assert COCO(path, ann_data=content).getImgIds() == [1]


def test_keypoints_may_be_chosen(path):
    chosen = COCO(path, test_index=[2, 0])

    assert chosen.anns[7]['keypoints'] == [5, 6, 0, 1, 2, 2]


def test_annotation_without_iscrowd_is_no_crowd(path):
    assert COCO(path).getAnnIds(iscrowd=False) == [7]


def test_results_of_a_file_are_joined(path, tmp_path):
    results = tmp_path / 'results.json'
    found = dict(image_id=2, category_id=1, keypoints=[1, 2, 1] * 3, score=1)
    results.write_text(json.dumps([found]))

    assert COCO(path).loadRes(str(results)).getAnnIds(imgIds=[2]) == [1]


def test_results_may_be_empty(path):
    assert COCO(path).loadRes([]).getAnnIds() == []


def test_result_of_an_unknown_image_is_an_error(path):
    with pytest.raises(AssertionError):
        COCO(path).loadRes([dict(image_id=3, category_id=1, keypoints=[], score=1)])
