# Copyright (c) onestage_pose contributors.
"""A file of several categories is read with the keypoints of each in their places."""

import json

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.datasets.transforms import PackKeypointRCNNInputs, PoseRandomFlip
from onestage_pose.utils.errors import AnnotationError

import numpy as np
import pytest

from tests.kites_and_bars import BAR_ID, KITE_ID, METAINFO, write_kites_and_bars

LEFT_CORNER, RIGHT_CORNER, LEFT_END, RIGHT_END = 1, 2, 4, 5


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_kites_and_bars(tmp_path_factory.mktemp('categories') / 'd', 2)


@pytest.fixture
def content(folder):
    return json.loads((folder / 'annotations.json').read_text())


def load(folder, content=None, tmp_path=None, **options):
    ann_file = folder / 'annotations.json'
    if content is not None:
        ann_file = tmp_path / 'annotations.json'
        ann_file.write_text(json.dumps(content))
    return PersonKeypointsDataset(
        str(ann_file),
        metainfo=METAINFO,
        data_prefix=dict(img=str(folder / 'images')),
        **options,
    )


@pytest.fixture(scope='module')
def dataset(folder):
    return load(folder)


def test_the_label_is_the_categorys_place_in_the_metainfo(dataset):
    info = dataset.get_data_info(0)

    assert info['bbox_label'].tolist() == [0, 1]
    assert info['category_id'].tolist() == [KITE_ID, BAR_ID]


def test_only_an_instances_own_keypoints_are_labelled(dataset, content):
    info = dataset.get_data_info(0)

    visible = info['keypoints_visible'].astype(int).tolist()
    assert visible == [[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]]
    bar = content['annotations'][2]['keypoints']
    assert info['keypoints'][1, LEFT_END:].tolist() == [bar[:2], bar[3:5]]


def test_nothing_is_known_of_the_presence_of_other_keypoints(dataset):
    presence = dataset.get_data_info(0)['visibility_targets'][..., 0]

    assert presence.tolist() == [[1, 1, 1, 1, -1, -1], [-1, -1, -1, -1, 1, 1]]


def test_ground_truth_has_the_ids_of_the_metainfo(folder, content, tmp_path, log):
    for record in [*content['annotations'], *content['categories']]:
        key = 'category_id' if 'image_id' in record else 'id'
        record[key] += 40

    info = load(folder, content, tmp_path, test_mode=True).get_data_info(0)

    assert [each['category_id'] for each in info['raw_ann_info']] == [KITE_ID, BAR_ID]
    assert f'has id {KITE_ID + 40}' in log.getvalue()


def test_keypoints_of_another_number_are_refused(folder, content, tmp_path):
    content['annotations'][-1]['keypoints'] *= 2
    with pytest.raises(AnnotationError, match="category 'bar' of the metainfo has 2"):
        load(folder, content, tmp_path)


def test_keypoints_in_another_order_are_refused(folder, content, tmp_path):
    content['categories'][0]['keypoints'].reverse()
    with pytest.raises(AnnotationError, match="'bar' of the metainfo disagree.*order"):
        load(folder, content, tmp_path)


def test_a_flip_swaps_left_and_right_of_each_category(dataset):
    info = dataset.get_data_info(0)
    info['img'] = np.zeros((120, 160, 3), np.uint8)
    info['img_shape'] = info['img'].shape[:2]
    before = info['keypoints'].copy()

    flipped = PoseRandomFlip(prob=1.0).transform(info)['keypoints']

    mirrored = before * [-1, 1] + [159, 0]
    np.testing.assert_allclose(flipped[0, LEFT_CORNER], mirrored[0, RIGHT_CORNER])
    np.testing.assert_allclose(flipped[0, [0, 3]], mirrored[0, [0, 3]])
    np.testing.assert_allclose(flipped[1, RIGHT_END], mirrored[1, LEFT_END])


def test_the_model_is_told_whose_keypoints_are_whose(dataset):
    info = dataset.get_data_info(0)
    info.update(img=np.zeros((120, 160, 3), np.uint8), img_shape=(120, 160))

    # whatever else a config packs
    sample = PackKeypointRCNNInputs(meta_keys=['img_id'])(info)['data_samples']

    assert sample.keypoint_categories == [0, 0, 0, 0, 1, 1]
