# Copyright (c) onestage_pose contributors.
from onestage_pose.models import PosePriorFPN

import pytest
import torch
from mmdet.models.necks import FPN

OPTIONS = dict(in_channels=[8, 6], out_channels=5, num_outs=3)


def maps():
    return torch.randn(2, 8, 8, 12), torch.randn(2, 6, 4, 6)


def test_the_finest_map_begins_with_the_prior_and_the_rest_is_mmdets():
    neck, plain = PosePriorFPN(prior=(2, 5), **OPTIONS), FPN(**OPTIONS)
    plain.load_state_dict(neck.state_dict())
    inputs = maps()
    found, expected = neck(inputs), plain(inputs)
    assert torch.equal(found[0][:, :3], inputs[0][:, 2:5])
    assert torch.equal(found[0][:, 3:], expected[0][:, 3:])
    assert all(map(torch.equal, found[1:], expected[1:]))


@pytest.mark.parametrize('prior', [(-1, 2), (3, 3), (7, 9)])
def test_channels_that_there_are_not_are_refused(prior):
    with pytest.raises(ValueError, match='the first input, which has 8'):
        PosePriorFPN(prior=prior, **OPTIONS)


def test_more_channels_than_the_output_has_are_refused():
    with pytest.raises(ValueError, match='out_channels=5'):
        PosePriorFPN(prior=(0, 6), **OPTIONS)
