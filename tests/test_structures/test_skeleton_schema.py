# Copyright (c) onestage_pose contributors.
"""Which metainfo is taken, and what is said of the rest."""

from pathlib import Path

from onestage_pose.structures.metainfo import check_dataset_metainfo
from onestage_pose.structures.skeleton_schema import (
    check_metainfo,
    check_sigmas,
    compare_names,
)
from onestage_pose.utils.errors import ConfigValueError

import mmpose
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from tests.faults import fault_of

PACKAGED = Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets'
# Their own faults: a weight is missing, a swap is one-sided.
WRONG = {'coco_aic.py', 'humanart_aic.py', 'deepfashion2.py'}
NAMES = ('nose', 'left_eye', 'right_eye')
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 300)
    | st.floats()
    | st.sampled_from(['', 'nose', 'left_eye', 'x']),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=6,
)
PROFILE = settings(derandomize=True, deadline=None, max_examples=60)


def metainfo(**changes):
    """Metainfo of a nose and two eyes."""
    swaps = ('', 'right_eye', 'left_eye')
    return (
        dict(
            dataset_name='face',
            keypoint_info={
                i: dict(name=name, id=i, swap=swap)
                for i, (name, swap) in enumerate(zip(NAMES, swaps))
            },
            skeleton_info={0: dict(link=('left_eye', 'nose'), id=0)},
            joint_weights=[1.0, 1.0, 1.0],
            sigmas=[0.026, 0.025, 0.025],
        )
        | changes
    )


def entry(number, **changes):
    """Metainfo with a keypoint changed."""
    info = metainfo()
    info['keypoint_info'][number].update(changes)
    return info


def numbered(*numbers):
    """Metainfo whose keypoints have other numbers."""
    entries = metainfo()['keypoint_info'].values()
    return metainfo(keypoint_info=dict(zip(numbers, entries)))


def without(key):
    info = metainfo()
    del info[key]
    return info


def test_metainfo_as_mmpose_has_it_is_taken():
    assert fault_of(check_metainfo, metainfo(), 'face.py') is None


@pytest.mark.parametrize(
    'path',
    sorted(path for path in PACKAGED.glob('*.py') if path.name not in WRONG),
    ids=lambda path: path.name,
)
def test_metainfo_of_mmpose_is_taken(path):
    assert fault_of(check_dataset_metainfo, dict(from_file=str(path))) is None


@pytest.mark.parametrize(
    ('info', 'message'),
    [
        (without('sigmas'), 'face.py: has no `sigmas`; metainfo needs dataset_name, '),
        (without('joint_weights'), 'has no `joint_weights`'),
        (without('skeleton_info'), 'has no `skeleton_info`'),
        (without('keypoint_info'), 'has no `keypoint_info`'),
        (without('dataset_name'), 'has no `dataset_name`'),
        (without('sigmas') | dict(sigma=[1]), '`sigmas`.*Did you mean sigma?'),
        (metainfo(sigmas=[0.1, 0.1]), '`sigmas` has 2 values, .* has 3 keypoints'),
        (metainfo(sigmas=[0.1, 0, 0.1]), r'`sigmas`\[1\] is 0; give numbers above 0'),
        (metainfo(sigmas=[0.1, True, 0.1]), r'`sigmas`\[1\] is True'),
        (metainfo(sigmas=None), '`sigmas` has 0 values'),
        (metainfo(joint_weights=[1.0] * 4), '`joint_weights` has 4 values'),
        (metainfo(joint_weights=[1, 'a', 1]), r"`joint_weights`\[1\] is 'a'"),
        (entry(1, swap='right_ear'), "swap='right_ear', which is not a keypoint"),
        (entry(1, swap='rigth_eye'), "swap='rigth_eye'.* Did you mean right_eye?"),
        (entry(1, swap=None), 'swap=None, which is not a keypoint'),
        (entry(1, swap=''), "'right_eye' has swap='left_eye', but 'left_eye' has"),
        (entry(0, swap='left_eye'), "'nose' has swap='left_eye', but 'left_eye' has"),
        (numbered(1, 2, 3), 'has the numbers 1, 2, 3; count the keypoints from 0'),
        (numbered(0, 2, 1), 'has the numbers 0, 2, 1; .* in the order in which'),
        (numbered('0', '1', '2'), "has the numbers '0', '1', '2'"),
        (
            entry(1, color='red'),
            r"keypoint_info\[1\] has color='red'; give three whole",
        ),
        (entry(1, color=[0, 0, 256]), r'has color=\[0, 0, 256\]'),
        (
            metainfo(skeleton_info={0: dict(link=('nose', 'left_eye'), color=[0, 0])}),
            r'skeleton_info\[0\] has color=\[0, 0\]',
        ),
        (metainfo(keypoint_info={}), 'keypoint_info is {}'),
        (metainfo(keypoint_info={0: 'nose'}), r"keypoint_info\[0\] is 'nose'"),
        (entry(2, name='left_eye'), r"\[2\] and \[1\] are both named 'left_eye'"),
        (
            metainfo(skeleton_info={0: dict(link=('nose', 'left_eyes'))}),
            "links 'left_eyes', which is not a keypoint. Did you mean left_eye",
        ),
        (metainfo(skeleton_info={0: dict(link=('nose',))}), 'the names of two'),
        (metainfo(skeleton_info=[]), r'skeleton_info is \[\]; give a dict'),
        ([], 'holds a list; metainfo is a dict'),
    ],
)
def test_what_flips_or_measures_wrongly_is_named(info, message):
    with pytest.raises(ConfigValueError, match=message):
        check_metainfo(info, 'face.py')


def test_left_and_right_that_are_not_exchanged_are_named():
    info = entry(1, swap='')
    info['keypoint_info'][2]['swap'] = ''
    with pytest.raises(ConfigValueError, match="'left_eye' and 'right_eye' have no sw"):
        check_metainfo(info, 'face.py')


def test_sides_that_are_exchanged_with_others_are_named():
    info = metainfo(
        keypoint_info={
            i: dict(name=name, swap=swap)
            for i, (name, swap) in enumerate(
                (
                    ('left_eye', 'right_ear'),
                    ('right_eye', 'left_ear'),
                    ('left_ear', 'right_eye'),
                    ('right_ear', 'left_eye'),
                )
            )
        },
        skeleton_info={},
        joint_weights=[1.0] * 4,
        sigmas=[0.1] * 4,
    )
    with pytest.raises(ConfigValueError, match="'left_eye' has swap='right_ear', so"):
        check_metainfo(info, 'face.py')


def test_a_data_set_that_is_not_measured_by_oks_needs_no_sigmas():
    assert fault_of(check_metainfo, metainfo(sigmas=[]), 'face.py') is None


def test_measuring_oks_without_sigmas_is_named():
    parsed = parse_pose_metainfo(metainfo(sigmas=[]))
    with pytest.raises(ConfigValueError, match='The metric needs a sigma .* has 0'):
        check_sigmas(parsed, 'The metric')


def test_a_file_without_dataset_info_is_named(tmp_path):
    path = tmp_path / 'face.py'
    path.write_text('metainfo = dict()')
    with pytest.raises(ConfigValueError, match='face.py: has no `dataset_info`'):
        check_dataset_metainfo(dict(from_file=str(path)))


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match='absent.py: this metainfo file does'):
        check_dataset_metainfo(dict(from_file='absent.py'))


@PROFILE
@given(st.permutations(range(4)))
def test_only_permutations_that_undo_themselves_are_swaps(permutation):
    info = dict(
        dataset_name='any',
        keypoint_info={
            i: dict(name=f'k{i}', swap=f'k{other}')
            for i, other in enumerate(permutation)
        },
        skeleton_info={},
        joint_weights=[1.0] * 4,
        sigmas=[0.1] * 4,
    )
    mutual = all(permutation[other] == i for i, other in enumerate(permutation))
    try:
        check_metainfo(info, 'any.py')
    except ConfigValueError:
        assert not mutual
    else:
        assert mutual
        assert parse_pose_metainfo(info)['flip_indices'] == list(permutation)


@PROFILE
@given(st.data())
def test_any_value_in_any_place_is_parsed_or_named(data):
    info = metainfo()
    place = info
    while True:
        key = data.draw(st.sampled_from(sorted(place, key=str)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(ANYTHING)
    try:
        check_metainfo(info, 'any.py')
    except ConfigValueError as error:
        assert str(error).startswith('any.py: ')
        return
    parsed = parse_pose_metainfo(info)
    flips = parsed['flip_indices']
    assert [flips[other] for other in flips] == list(range(parsed['num_keypoints']))
    assert parsed['keypoint_colors'].shape == (parsed['num_keypoints'], 3)
    assert len(parsed['skeleton_link_colors']) == parsed['num_skeleton_links']


@pytest.mark.parametrize(
    'found',
    [
        NAMES,
        ('Nose', 'Left Eye', 'Right Eye'),
        ('nose', 'leftEye', 'rightEye'),
        ('NOSE', 'L-eye', 'R-eye'),
        ('nose', 'eye_left', 'eye_right'),
        ('nose', 'lefteye', 'righteye'),
    ],
)
def test_names_written_otherwise_are_the_same(found):
    assert compare_names(found, NAMES) == (True, '')


def test_a_word_left_out_is_remarked():
    agrees, remark = compare_names(('head', 'neck'), ('top_head', 'neck'))
    assert agrees
    assert remark == "it names keypoints otherwise: 'head' as 'top_head'"


@pytest.mark.parametrize(
    'found', [('0', '1', '2'), ('1', '2', '3'), ('kp-1', 'kp-2', 'kp-3')]
)
def test_numbers_are_taken_in_order_and_remarked(found):
    agrees, remark = compare_names(found, NAMES)
    assert agrees
    assert 'numbers for names' in remark


@pytest.mark.parametrize(
    ('found', 'message'),
    [
        (('nose', 'right_eye', 'left_eye'), 'the same keypoints in another order'),
        (('left_eye', 'right_eye', 'nose'), 'the same keypoints in another order'),
        (('nose', 'left_ear', 'right_ear'), "first 'left_ear' instead of 'left_eye'"),
        (('nose', 'eye', 'right_eye'), "first 'eye' instead of 'left_eye'"),
        (('2', '1', '3'), "first '2' instead of 'nose'"),
        (('nose', 'left_eye'), '2 keypoints instead of 3'),
    ],
)
def test_other_keypoints_and_another_order_do_not_agree(found, message):
    agrees, remark = compare_names(found, NAMES)
    assert not agrees
    assert message in remark


@PROFILE
@given(st.permutations(range(17)))
def test_any_other_order_of_cocos_keypoints_does_not_agree(order):
    names = parse_pose_metainfo(dict(from_file=str(PACKAGED / 'coco.py')))
    names = list(names['keypoint_id2name'].values())
    found = [names[i] for i in order]
    assert compare_names(found, names)[0] == (found == names)
