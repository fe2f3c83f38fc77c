# Copyright (c) onestage_pose contributors.
"""Keypoints that change places in a mirrored image."""

from onestage_pose.data_tools.sides import find_sides_without_partner, pair_sides
from onestage_pose.utils.errors import AnnotationError, UsageError

import pytest


@pytest.mark.parametrize(
    ('left', 'right'),
    [
        ('left_eye', 'right_eye'),
        ('l_eye', 'r_eye'),
        ('eye_L', 'eye_R'),
        ('LeftEye', 'RightEye'),
        ('LEye', 'REye'),
        ('L1', 'R1'),
        ('lefteye', 'righteye'),
        ('Fuß links', 'Fuß rechts'),
        ('linker_fuss', 'rechter_fuss'),
        ('l-eye', 'r-eye'),
        ('eye.L', 'eye.R'),
        ('left_eye', 'eye_r'),
    ],
)
def test_sides_are_paired_by_their_names(left, right):
    names = [right, 'middle', left, 'L9']
    assert pair_sides(names) == {left: right}


@pytest.mark.parametrize(
    'names',
    [
        ['tip', 'tail'],
        ['left_eye', 'right_ear'],
        ['loft', 'roft'],
        ['l1', 'r2'],
        ['a_b', 'aB'],
    ],
)
def test_what_tells_no_side_is_not_paired(names):
    assert pair_sides(names) == {}


def test_other_words_and_pairs_are_given_by_the_user():
    names = ['gauche_a', 'droite_a', 'p1', 'p2']
    found = pair_sides(names, [('gauche', 'droite')], [('p1', 'p2')])
    assert found == {'gauche_a': 'droite_a', 'p1': 'p2'}


@pytest.mark.parametrize(
    ('swaps', 'message'),
    [
        ([('a', 'bb')], "'bb' is not a keypoint"),
        ([('a', 'b'), ('b', 'c')], 'in two pairs'),
    ],
)
def test_a_pair_of_what_is_not_there_is_refused(swaps, message):
    with pytest.raises(UsageError, match=message):
        pair_sides(['a', 'b', 'c'], swaps=swaps)


def test_a_side_without_its_partner_is_found():
    names = ['left_eye', 'right_eye', 'left_ear', 'tail']
    assert find_sides_without_partner(names, pair_sides(names)) == ['left_ear']


def test_a_name_with_two_sides_is_mirrored_in_both():
    parts = ['left_eye_left', 'left_eye_right', 'right_eye_left', 'right_eye_right']
    assert pair_sides(parts) == {parts[0]: parts[3], parts[1]: parts[2]}


def test_the_files_pairs_are_taken_and_the_users_come_first():
    names = ['left_x', 'right_x', 'p1', 'p2', 'p3', 'p4']
    flip_idx = [1, 0, 3, 2, 5, 4]
    assert pair_sides(names, flip_idx=flip_idx) == dict(
        left_x='right_x', p1='p2', p3='p4'
    )
    swaps = [('p1', 'p3')]
    assert pair_sides(names, swaps=swaps, flip_idx=flip_idx) == dict(
        left_x='right_x', p1='p3'
    )


@pytest.mark.parametrize(
    ('flip_idx', 'message'),
    [
        ([0, 1, 2], "a.json: flip_idx exchanges 'left_x' with nothing, .* 'right_x'"),
        ([2, 1, 0], "exchanges 'left_x' with 'tail'.* remove"),
        ([1, 2, 0], r'flip_idx=\[1, 2, 0\]; write for each of the 3'),
        ([1, 0], 'write for each of the 3'),
        ('1 0 2', 'write for each of the 3'),
    ],
)
def test_pairs_of_the_file_that_cannot_be_are_refused(flip_idx, message):
    with pytest.raises(AnnotationError, match=message):
        pair_sides(['left_x', 'right_x', 'tail'], flip_idx=flip_idx, source='a.json')
