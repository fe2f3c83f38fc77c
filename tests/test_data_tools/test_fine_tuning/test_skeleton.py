# Copyright (c) onestage_pose contributors.
"""Metainfo out of the category of a COCO file."""

from onestage_pose.data_tools.fine_tuning.skeleton import (
    find_prior_channels,
    find_unknown_sigmas,
    get_keypoint_names,
    make_metainfo,
    read_skeleton,
)
from onestage_pose.structures.metainfo import load_sigmas
from onestage_pose.utils.errors import UsageError

import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo


def test_people_of_17_unnamed_keypoints_have_cocos():
    names = get_keypoint_names(dict(name='person'), 17)
    assert names[:2] == ['nose', 'left_eye'] and len(names) == 17


@pytest.mark.parametrize(
    ('category', 'message'),
    [
        (dict(name='dog'), 'does not name its 3 keypoints: give --keypoints'),
        (dict(keypoints=['a', 'b']), r'has 2 names .* and the annotations 3'),
        (dict(keypoints=['a', 'b', 'a']), "'a' comes more than once"),
    ],
)
def test_names_that_are_none_are_refused(category, message):
    with pytest.raises(UsageError, match=message):
        get_keypoint_names(category, 3)


@pytest.mark.parametrize('lines', [[[1, 2], [2, 3]], [[0, 1], [1, 2]]])
def test_lines_count_from_1_or_0(lines):
    assert read_skeleton(lines, ['a', 'b', 'c']) == ([('a', 'b'), ('b', 'c')], '')


@pytest.mark.parametrize('lines', [[[1, 4]], ['ab', 'xy'], 7])
def test_lines_to_no_keypoint_are_left_out_aloud(lines):
    found, remark = read_skeleton(lines, ['a', 'b', 'c'])
    assert found == [] and 'left out' in remark


@pytest.mark.parametrize('number', [1, 2, 133])
def test_any_number_of_keypoints_is_metainfo_that_mmpose_takes(number):
    names = [f'p{place}' for place in range(number)]
    meta = parse_pose_metainfo(make_metainfo('mine', names))
    assert meta['num_keypoints'] == number
    assert meta['flip_indices'] == list(range(number))


def test_pairs_are_mirrored_and_lines_drawn():
    names = ['nose', 'left_x', 'right_x']
    info = make_metainfo('mine', names, [('nose', 'left_x')], {'left_x': 'right_x'})
    meta = parse_pose_metainfo(info)
    assert meta['flip_indices'] == [0, 2, 1]
    assert meta['skeleton_links'] == [(0, 1)]


def test_sigmas_are_cocos_by_name_and_the_given_one_elsewhere():
    info = make_metainfo('mine', ['right_hip', 'tail', 'nose'], sigma=0.08)
    coco = load_sigmas()
    assert info['sigmas'] == [coco[12], 0.08, coco[0]]
    assert find_unknown_sigmas(['right_hip', 'tail', 'nose']) == ['tail']


def test_priors_are_those_of_cocos_joints():
    assert find_prior_channels(['tail', 'right_hip', 'nose']) == [None, 12, 0]
