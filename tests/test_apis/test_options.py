# Copyright (c) onestage_pose contributors.
"""A misspelt option is refused with the one that was meant."""

from onestage_pose.apis.options import refuse_unknown
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


def test_known_options_pass():
    refuse_unknown(KNOWN, KNOWN, 'predict')
