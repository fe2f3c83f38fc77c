# Copyright (c) onestage_pose contributors.
"""Weights for other keypoints keep the channels of those of the same name."""

from onestage_pose.data_tools.fine_tuning.weights import make_start
from onestage_pose.utils.errors import CheckpointError

import pytest
import torch

from tests.model_factory import build, tiny_config

KNOWN = ['a', 'b', 'c']
HEAD = 'roi_head.keypoint_head.deconv'


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    path = tmp_path_factory.mktemp('published') / 'model.pth'
    model = build(tiny_config(num_keypoints=3), seed=1)
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


def start_of(published, path, names):
    model = tiny_config(num_keypoints=len(names)).to_dict()
    kept = make_start(model, published, path, names, KNOWN)
    return kept, torch.load(path)['state_dict'], torch.load(published)['state_dict']


def test_channels_of_the_same_name_move_to_their_new_place(published, tmp_path):
    names = ['c', 'new', 'a']
    kept, start, before = start_of(published, tmp_path / 'start.pth', names)
    assert kept == ['c', 'a']
    assert torch.equal(
        start[f'{HEAD}.weight'][:, [0, 2]], before[f'{HEAD}.weight'][:, [2, 0]]
    )
    assert torch.equal(start[f'{HEAD}.bias'][[0, 2]], before[f'{HEAD}.bias'][[2, 0]])
    # Kaiming's, and neither 0 nor that of another
    new = start[f'{HEAD}.weight'][:, 1]
    assert new.std() > 0 and not torch.equal(new, before[f'{HEAD}.weight'][:, 1])


@pytest.mark.parametrize('names', [['new'], [f'p{place}' for place in range(133)]])
def test_everything_but_the_keypoints_is_kept(published, tmp_path, names):
    _, start, before = start_of(published, tmp_path / 'start.pth', names)
    assert start.keys() == before.keys()
    for name in start:
        if not name.startswith(HEAD):
            assert torch.equal(start[name], before[name]), name


def test_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict=dict(backbone=torch.zeros(1))), path)
    with pytest.raises(CheckpointError, match=r'other\.pth: has no '):
        start_of(path, tmp_path / 'start.pth', KNOWN)
