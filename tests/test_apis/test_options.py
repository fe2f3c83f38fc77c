# Copyright (c) onestage_pose contributors.
"""A misspelt option is refused with the one that was meant."""

from onestage_pose.apis.options import check_choice, check_number, refuse_unknown
from onestage_pose.utils.errors import UsageError

import pytest

KNOWN = ('batch_size', 'bbox_thr', 'rgb')


@pytest.mark.parametrize(
    'given, meant',
    [
        ('bbox_thrr', 'bbox_thr'),
        ('batchsize', 'batch_size'),
        # what other programs call it
        ('conf', 'bbox_thr'),
    ],
)
def test_the_likely_name_is_given(given, meant):
    with pytest.raises(UsageError, match=f"no option '{given}'. Did you mean {meant}?"):
        refuse_unknown([given], KNOWN, 'predict')


def test_all_names_are_given_where_none_is_like_it():
    with pytest.raises(UsageError, match='Its options: batch_size, bbox_thr, rgb'):
        refuse_unknown(['zzz'], KNOWN, 'predict')


def test_known_options_are_not_named():
    with pytest.raises(UsageError, match="^predict has no option 'zzz'"):
        refuse_unknown([*KNOWN, 'zzz'], KNOWN, 'predict')


@pytest.mark.parametrize('value', [0, -3, 1.5, True, 'thick', None, float('nan')])
def test_a_number_that_is_none_is_named_with_what_is_expected(value):
    with pytest.raises(UsageError, match='^radius=.*: give a whole number, 1 or more'):
        check_number('radius', value, 1, whole=True)


@pytest.mark.parametrize('value', [-0.1, 1.1])
def test_a_number_out_of_range_is_named_with_the_range(value):
    with pytest.raises(UsageError, match=f'^thr={value}: give a number from 0 to 1'):
        check_number('thr', value, 0, 1)


def test_a_choice_that_is_none_is_named_with_the_likely_one():
    with pytest.raises(UsageError, match="style='opnpose': .* Did you mean openpose?"):
        check_choice('style', 'opnpose', ('mmpose', 'openpose'))
