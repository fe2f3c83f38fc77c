# Copyright (c) onestage_pose contributors.
"""Methods of mmpose's inferencers are replaced once, by functions that exist."""

import inspect
from types import ModuleType, SimpleNamespace

from onestage_pose.apis import inferencer_inputs
from onestage_pose.compat import mmpose_inferencer_inputs as patch

import pytest
from mmpose.apis import MMPoseInferencer, Pose2DInferencer


@pytest.mark.parametrize('name', patch.METHODS)
def test_each_has_its_replacement(name):
    function = getattr(inferencer_inputs, name.lstrip('_'))

    assert list(inspect.signature(function).parameters)[:2] == [
        'original',
        'inferencer',
    ]


@pytest.mark.parametrize('name', patch.METHODS)
def test_each_is_replaced(name):
    assert getattr(Pose2DInferencer, name).replaced


def test_the_inferencer_above_finishes_videos_too():
    assert MMPoseInferencer._finalize_video_processing.replaced


def test_a_replacement_gets_the_method_of_before_and_what_it_takes():
    class Owner:
        def _method(self, a, b=0):
            return a + b

    module = ModuleType('module')
    module.Owner = Owner
    given = SimpleNamespace(
        method=lambda original, owner, a, b=0: (original(owner, a, b=b), type(owner))
    )

    for _ in range(2):
        patch._replace(module, 'Owner', '_method', lambda: given)

    assert Owner()._method(1, b=2) == (3, Owner)
