# Copyright (c) onestage_pose contributors.
from onestage_pose.models import CrowdIoUAssigner

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

PERSON = [0.0, 0.0, 10.0, 10.0]
ELSEWHERE = [100.0, 100.0, 110.0, 110.0]
HALF_OUT = [35.0, 35.0, 48.0, 45.0]
CROWD = [0.0, 0.0, 40.0, 60.0]


def assigned(priors, crowds, thr=0.5):
    assigner = CrowdIoUAssigner(0.5, 0.5, 0.5, ignore_iof_thr=thr)
    people = InstanceData(bboxes=torch.tensor([PERSON]), labels=torch.tensor([0]))
    ignored = None if crowds is None else InstanceData(bboxes=crowds)
    return assigner.assign(
        InstanceData(priors=torch.tensor(priors)), people, ignored
    ).gt_inds.tolist()


@pytest.fixture(autouse=True, params=['mmdet', 'mmpose'])
def _scope(request):
    init_default_scope(request.param)


def test_negatives_in_a_crowd_are_ignored_and_people_there_still_learn():
    priors = [PERSON, [20.0, 20.0, 30.0, 30.0], ELSEWHERE, HALF_OUT]
    crowds = torch.tensor([CROWD])
    assert assigned(priors, crowds) == [1, -1, 0, 0]


def test_each_crowd_counts_by_itself():
    crowds = torch.tensor([[100.0, 100.0, 104.0, 110.0], [106.0, 100.0, 110.0, 110.0]])
    assert assigned([ELSEWHERE], crowds) == [0]


@pytest.mark.parametrize('crowds', [None, torch.zeros(0, 4)])
def test_without_crowds_it_is_mmdets(crowds):
    assert assigned([PERSON, ELSEWHERE], crowds) == [1, 0]


def test_nothing_is_ignored_by_default():
    assert assigned([[1.0, 20.0, 9.0, 30.0]], torch.tensor([CROWD]), thr=-1) == [0]
