# Copyright (c) onestage_pose contributors.
"""Which of all keypoints are whose, read from metainfo that mmpose has parsed."""

from onestage_pose.structures.categories import (
    find_own_keypoints,
    get_categories,
    has_whole_categories,
    match_categories,
    take_category,
)
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.kites import NAMES
from tests.kites_and_bars import BAR_ID, BAR_NAMES, KITE_ID, METAINFO

COCO, ANIMAL = dict(from_file='coco.py'), dict(from_file='animalpose.py')
META = parse_pose_metainfo(METAINFO)
PEOPLE_AND_DOGS = parse_pose_metainfo(
    dict(
        dataset_name='park',
        categories=[dict(name='person', **COCO), dict(name='dog', **ANIMAL)],
    )
)


def test_categories_share_the_keypoints_in_turn():
    kite, bar = get_categories(META)

    assert (kite.label, kite.name, kite.id, kite.places) == (
        0,
        'kite',
        KITE_ID,
        slice(0, 4),
    )
    assert (bar.label, bar.id, bar.places) == (1, BAR_ID, slice(4, 6))
    assert kite.keypoint_names == tuple(NAMES)
    assert bar.keypoint_names == tuple(BAR_NAMES)


def test_one_skeleton_has_none():
    assert get_categories(parse_pose_metainfo(COCO)) == ()


def test_keypoints_are_those_of_the_label():
    own = find_own_keypoints(np.array([1, 0]), META)

    assert own.astype(int).tolist() == [[0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 0, 0]]


@pytest.mark.parametrize(('place', 'metainfo'), [(0, COCO), (1, ANIMAL)])
def test_one_category_taken_out_is_its_own_metainfo(place, metainfo):
    category = get_categories(PEOPLE_AND_DOGS)[place]

    taken = take_category(PEOPLE_AND_DOGS, category)

    expected = parse_pose_metainfo(metainfo) | dict(
        dataset_name=f'park/{category.name}'
    )
    assert taken.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_equal(taken[key], value, key)


class TestMatchCategories:
    records = [dict(id=5, name='Bar'), dict(id=KITE_ID, name='kite')]

    def match(self, records, used):
        return match_categories('a.json', records, used, get_categories(META))

    def test_by_name_whatever_the_ids(self):
        found, remarks = self.match(self.records, [5, KITE_ID])

        assert {id_: each.name for id_, each in found.items()} == {5: 'bar', 7: 'kite'}
        [remark] = remarks
        assert "'Bar' has id 5" in remark and 'state id=5' in remark

    def test_by_id_where_the_file_has_no_categories(self):
        found, remarks = self.match([], [BAR_ID])

        assert (found[BAR_ID].name, remarks) == ('bar', [])

    def test_a_category_without_annotations_need_not_be_known(self):
        assert self.match([*self.records, dict(id=9, name='car')], [5])[0].keys() == {5}

    @pytest.mark.parametrize('records', [[dict(id=9, name='kites')], []])
    def test_another_one_is_refused(self, records):
        with pytest.raises(AnnotationError, match=r'a\.json: .* kite \(id 7\), bar'):
            self.match(records, [9])


@pytest.mark.parametrize(
    'changes',
    [
        dict(categories=META['categories'][:1]),
        dict(categories=[dict(name='kite', id=1, keypoints=[0, 4])] * 2),
        dict(categories=[dict(name='kite', id=1)]),
        dict(categories='kite'),
        dict(categories=None),
        dict(keypoint_categories=None),
        dict(keypoint_categories=[0] * 6),
        dict(keypoint_categories=['a'] * 6),
    ],
)
def test_categories_of_a_file_that_do_not_share_the_keypoints_are_told(changes):
    assert has_whole_categories(META)
    assert not has_whole_categories({**META, **changes})
