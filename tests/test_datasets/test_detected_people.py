# Copyright (c) onestage_pose contributors.
"""A detector's boxes are read by a schema, and of the people alone."""

import json
import pickle

from onestage_pose.datasets import DetectedPeopleDataset
from onestage_pose.structures.coco_records import read_detections
from onestage_pose.utils.errors import AnnotationError, ConfigValueError

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmpose.datasets import CocoDataset

from tests.kites_and_bars import METAINFO

BOX = dict(image_id=1, category_id=1, bbox=[10, 12, 30, 40], score=0.5)


@pytest.fixture
def build(coco_set, image, person):
    """Build the data set on two pictures: ``build(boxes, category=1)``."""

    def build_on(boxes, category=1, kind=DetectedPeopleDataset):
        coco = coco_set([image(1), image(2)], [person(1, category_id=category)])
        coco.content['categories'][0]['id'] = category
        coco.save(coco.content)
        path = coco.root / 'boxes.json'
        path.write_text(boxes if isinstance(boxes, str) else json.dumps(boxes))
        return kind(**coco.options(test_mode=True, bbox_file=str(path)))

    return build_on


@pytest.mark.filterwarnings('ignore:The metainfo config file')
def test_boxes_are_those_of_mmposes_data_set(build):
    boxes = [BOX, dict(BOX, image_id=2, bbox=[1.5, 2, 3, 4], score=1)]
    ours, theirs = build(boxes), build(boxes, kind=CocoDataset)
    assert len(ours) == len(theirs) == 2
    for place in range(2):
        one, other = ours.get_data_info(place), theirs.get_data_info(place)
        assert one.keys() == other.keys()
        for key, value in other.items():
            np.testing.assert_equal(one[key], value)
            assert type(one[key]) is type(value)


@pytest.mark.parametrize('category', [0, 7])
def test_people_are_what_the_annotations_call_so(build, category):
    boxes = [dict(BOX, category_id=category), dict(BOX, category_id=category + 1)]
    assert len(build(boxes, category)) == 1


def test_boxes_of_nobody_are_named(build):
    with pytest.raises(AnnotationError, match='none of its 1 boxes has category_id=1'):
        build([dict(BOX, category_id=3)])


@pytest.mark.parametrize(
    ('boxes', 'message'),
    [
        ('[{', 'is not valid JSON'),
        ({}, 'holds a JSON dict where a list of results'),
        ([3], 'entry 0 is a int, expected an object'),
        ([{**BOX, 'image_id': 9}], 'entry 0 is of image_id=9, which is not in'),
        (
            [{**BOX, 'image_id': '1'}],
            "entry 0 has image_id='1', which is not an integer",
        ),
        ([{**BOX, 'score': None}], 'entry 0 has score=None, expected a number'),
        ([{**BOX, 'score': True}], 'entry 0 has score=True, expected a number'),
        ([BOX, {**BOX, 'bbox': [1, 2, 3]}], 'entry 1 .* has 3 numbers as "bbox"'),
        (
            [{**BOX, 'bbox': ['1', 2, 3, 4]}],
            'has \'1\' in "bbox", which is not a finite',
        ),
        *(
            ([{key: BOX[key] for key in BOX if key != gone}], f'no "{gone}"')
            for gone in BOX
        ),
    ],
)
def test_what_is_no_box_is_named(build, boxes, message):
    with pytest.raises(AnnotationError, match=f'boxes.json: .*{message}'):
        build(boxes)


def test_a_pickle_is_not_read(build, tmp_path):
    dataset = build([BOX])
    path = tmp_path / 'boxes.pkl'
    path.write_bytes(pickle.dumps([BOX]))
    dataset.bbox_file = str(path)
    with pytest.raises(AnnotationError, match='boxes.pkl: is not valid JSON'):
        dataset._load_detection_results()


@settings(
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(sorted(BOX)),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.floats() | st.text(max_size=2), max_size=5),
)
def test_any_value_is_read_or_named(tmp_path, key, value):
    path = tmp_path / 'boxes.json'
    path.write_text(json.dumps([BOX, {**BOX, key: value}]))
    try:
        records, boxes = read_detections(str(path), 'cure', [1, 2], 'a.json')
    except AnnotationError as error:
        assert 'boxes.json: ' in str(error)
    else:
        assert np.isfinite(boxes.astype(np.float32)).all()
        assert np.isfinite([np.float32(each['score']) for each in records]).all()
        assert {each['image_id'] for each in records} <= {1, 2}


def test_several_categories_are_refused():
    with pytest.raises(ConfigValueError, match='one skeleton.* several categories'):
        DetectedPeopleDataset(metainfo=METAINFO, lazy_init=True)
