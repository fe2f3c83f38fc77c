# Copyright (c) onestage_pose contributors.
"""mmpose's inference looks in the model's scope, whoever has made the model."""

from types import SimpleNamespace

from onestage_pose.compat.mmpose_inference_scope import set_scope

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmpose.apis import inference, inference_bottomup

IMAGE = np.zeros((8, 9, 3), np.uint8)


@pytest.fixture
def model():
    """A model that gives back what the pipeline makes of an image."""
    pipeline = [dict(type='LoadPoseImage')]
    dataloader = dict(dataset=dict(pipeline=pipeline))
    return SimpleNamespace(
        cfg=ConfigDict(default_scope='mmpose', test_dataloader=dataloader),
        dataset_meta={},
        test_step=lambda batch: batch,
    )


@pytest.fixture(params=[None, 'mmdet', 'mmpose'])
def scope(request, monkeypatch):
    """The default scope of a fresh process, and of those with another or this one."""
    monkeypatch.setattr(
        DefaultScope, '_instance_dict', type(DefaultScope._instance_dict)()
    )
    if request.param is not None:
        DefaultScope.get_instance('test', scope_name=request.param)
    return request.param


def current_scope():
    current = DefaultScope.get_current_instance()
    return current and current.scope_name


def test_pipeline_is_found_whatever_the_default_scope_is(scope, model):
    found = inference_bottomup(model, IMAGE)

    assert torch.equal(torch.as_tensor(found['img'][0]), torch.as_tensor(IMAGE))


def test_default_scope_is_as_it_was(scope, model):
    inference_bottomup(model, IMAGE)

    assert current_scope() == scope


def test_replacing_again_changes_nothing():
    before = inference.inference_bottomup

    set_scope(inference)

    assert inference.inference_bottomup is before is inference_bottomup


@pytest.mark.parametrize('scope', [None], indirect=True)
def test_mmpose_still_needs_it(scope, model):
    with pytest.raises(KeyError, match='LoadPoseImage is not in'):
        inference_bottomup.__wrapped__(model, IMAGE)
