# Copyright (c) onestage_pose contributors.
"""The models of the benchmark do the same work, on the device asked for."""

import copy

from onestage_pose.codecs import RoIHeatmap
from onestage_pose.models.layers import RelativePositionAttention

import pytest
import torch
from benchmark import models
from mmengine.model import BaseDataPreprocessor
from mmpose.apis import inference_topdown

KINDS = list(models.TIMED_MODELS.values())


def test_people_lie_in_the_image():
    boxes = models.make_boxes((80, 120), 50)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes[:, 2] <= 120).all() and (boxes[:, 3] <= 80).all()


def test_keypoints_lie_in_their_boxes():
    boxes = models.make_boxes((80, 120), 50)
    keypoints = models.make_keypoints(boxes)
    assert keypoints.shape == (50, 17, 2)
    assert (keypoints >= boxes[:, None, :2]).all()
    assert (keypoints <= boxes[:, None, 2:]).all()


@pytest.mark.parametrize(
    'kind', [models.GCMKeypointRCNN, models.UnoptimizedGCMKeypointRCNN]
)
def test_one_stage_models_detect_the_fixed_people(build_tiny, kind):
    timed = build_tiny(kind)
    timed.num_people = 2
    data = timed.prepare(1)
    with torch.no_grad():
        (sample,) = timed.model.predict(data['inputs'], data['data_samples'])
    assert torch.equal(torch.tensor(sample.pred_instances.bboxes), timed.boxes)
    assert sample.pred_instances.keypoints.shape == (2, 17, 2)


def test_torchvision_detects_the_fixed_people(build_tiny):
    timed = build_tiny(models.TorchvisionKeypointRCNN)
    timed.num_people = 2
    with torch.no_grad():
        (people,) = timed.model(timed.prepare(1))
    torch.testing.assert_close(people['boxes'], timed.boxes)
    assert people['keypoints'].shape == (2, 17, 3)


def test_two_stages_estimate_the_fixed_people(build_tiny, monkeypatch):
    timed = build_tiny(models.TwoStage)
    timed.num_people = 2
    found = []
    monkeypatch.setattr(
        models,
        'inference_topdown',
        lambda *args: found.extend(inference_topdown(*args)),
    )
    with torch.no_grad():
        timed.predict()
    assert len(found) == 2


def test_the_second_stage_gives_float32_to_numpy(build_tiny):
    head = build_tiny(models.TwoStage).model['estimator'].head
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        heatmaps = head((torch.zeros(1, 2048, 1, 1),))
    assert heatmaps.dtype == torch.float32


@pytest.mark.parametrize('name', models.TRAINED)
def test_a_training_loss_has_gradients(build_tiny, name):
    timed = build_tiny(models.TIMED_MODELS[name])
    timed.model.train()
    loss = timed.loss(1)
    timed.model.eval()
    assert loss.ndim == 0 and loss.requires_grad and torch.isfinite(loss)


def test_two_stages_are_not_trained():
    assert 'two-stage' not in models.TRAINED


@pytest.mark.parametrize('kind', KINDS)
def test_everything_is_moved_to_the_device(build_tiny, kind):
    moved = copy.copy(build_tiny(kind))
    # not the shared one: what is moved to `meta` has lost its values
    moved.model, moved.device = copy.deepcopy(moved.model), torch.device('meta')
    moved.place()
    tensors = [*moved.model.parameters(), *moved.model.buffers()]
    assert {tensor.device.type for tensor in tensors} == {'meta'}
    preprocessors = [
        module
        for module in moved.model.modules()
        if isinstance(module, BaseDataPreprocessor)
    ]
    # they decide where inputs go
    assert all(each.device.type == 'meta' for each in preprocessors)


def test_unfused_attention_computes_the_same():
    fused = RelativePositionAttention(8, (5, 4), 2, 4)
    unfused = models.UnfusedAttention.from_fused(fused)
    x = torch.randn(3, 8, 5, 4)
    torch.testing.assert_close(unfused(x), fused(x), rtol=1e-5, atol=1e-6)


def test_decoding_person_by_person_finds_the_same():
    logits = torch.randn(2, 3, 56, 56)
    boxes = torch.tensor([[3.0, 4, 32.5, 74], [0, 0, 99, 39.2]])
    found = models.PerPersonRoIHeatmap().decode(logits, boxes)
    for one, other in zip(found, RoIHeatmap().decode(logits, boxes)):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_unoptimized_model_has_no_optimized_layer(build_tiny):
    model = build_tiny(models.UnoptimizedGCMKeypointRCNN).model
    names = {type(module).__name__ for module in model.modules()}
    assert 'UnfusedAttention' in names and 'RelativePositionAttention' not in names
    assert not any('Winograd' in name or 'Fold' in name for name in names)
    assert isinstance(model.roi_head.codec, models.PerPersonRoIHeatmap)
