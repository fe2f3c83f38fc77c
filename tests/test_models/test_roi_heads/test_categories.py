# Copyright (c) onestage_pose contributors.
"""A model of several categories learns and gives each one's own keypoints."""

from onestage_pose.datasets import PersonKeypointsDataset
from onestage_pose.datasets.transforms import (
    LoadPoseImage,
    PackKeypointRCNNInputs,
    PoseRandomFlip,
    PoseResize,
)
from onestage_pose.evaluation.metrics import KeypointCocoMetric

import pytest
import torch

from tests.kites_and_bars import METAINFO, write_kites_and_bars
from tests.model_factory import (
    losses,
    make_people,
    make_picture,
    make_sample,
    predict,
    tiny_model,
)

SIZE = (64, 96)
OWNERS = [0, 0, 0, 1, 1]


@pytest.fixture(scope='module')
def model():
    return tiny_model(num_keypoints=5, roi_head__bbox_head__num_classes=2)


def sample_of(people=None, owners=OWNERS):
    sample = make_sample(SIZE, people, num_keypoints=5)
    sample.set_metainfo(dict(keypoint_categories=owners))
    return sample


@pytest.mark.parametrize(
    'options',
    [
        {},
        dict(flip_test=True),
        dict(rescore_thr=0.0),
        dict(pose_nms=dict(type='soft_oks_nms', thr=0.9, sigmas=[0.1] * 5)),
    ],
    ids=str,
)
def test_an_instance_has_the_keypoints_of_its_category(model, monkeypatch, options):
    monkeypatch.setattr(
        model, 'test_cfg', type(model.test_cfg)({**model.test_cfg, **options})
    )

    [sample] = predict(model, [make_picture(*SIZE)], [sample_of()])

    found = sample.pred_instances
    assert set(found.labels.tolist()) == {0, 1}
    own = found.labels[:, None] == OWNERS
    assert (found.keypoint_scores[own] > 0).all()
    assert not found.keypoint_scores[~own].any() and not found.keypoints[~own].any()


def test_heatmaps_are_those_of_the_categorys_instances(model, monkeypatch):
    options = {**model.test_cfg, 'output_heatmaps': True, 'heatmap_thr': 0.0}
    monkeypatch.setattr(model, 'test_cfg', type(model.test_cfg)(options))

    # all instances are of one of the two
    [sample] = predict(
        model, [make_picture(*SIZE)], [sample_of(owners=[2, 2, 2, 1, 1])]
    )

    peaks = sample.pred_fields.heatmaps.amax((1, 2))
    assert (peaks > 0).tolist() == [False] * 3 + [True] * 2


def test_the_loss_teaches_a_category_its_own_keypoints(model):
    people = make_people(SIZE, 2, num_keypoints=5)
    people.labels[:] = 1
    people.keypoints_visible[:, :3] = 0
    model.zero_grad()

    losses(model, [make_picture(*SIZE)], [sample_of(people)])[0].backward()

    taught = model.roi_head.keypoint_head.deconv.weight.grad.abs().sum((0, 2, 3)) > 0
    assert taught.tolist() == [False] * 3 + [True] * 2


@pytest.mark.slow
def test_both_categories_are_learned_in_a_few_steps(tmp_path):
    write_kites_and_bars(tmp_path / 'data', 8)
    options = dict(
        metainfo=METAINFO,
        data_root=str(tmp_path / 'data'),
        data_prefix=dict(img='images'),
    )
    load, pack = LoadPoseImage(), PackKeypointRCNNInputs()
    train = PersonKeypointsDataset(
        'annotations.json', pipeline=[load, PoseRandomFlip(prob=0.5), pack], **options
    )
    val = PersonKeypointsDataset(
        'annotations.json',
        pipeline=[load, PoseResize((160, 160), keep_ratio=True, image_only=True), pack],
        test_mode=True,
        **options,
    )
    learner = tiny_model(
        num_keypoints=6, head='conv', roi_head__bbox_head__num_classes=2
    )
    optimizer = torch.optim.AdamW(learner.parameters(), 2e-3)
    for step in range(80):
        batch = [train[(4 * step + place) % 8] for place in range(4)]
        total, _ = losses(
            learner, *zip(*((b['inputs'], b['data_samples']) for b in batch))
        )
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    metric = KeypointCocoMetric(score_mode='bbox', nms_mode='none')
    metric.dataset_meta = val.metainfo
    for item in val:
        found = predict(learner, [item['inputs']], [item['data_samples']])
        metric.process(None, [each.to_dict() for each in found])
    metrics = metric.evaluate(len(val))
    assert min(metrics['coco/kite/AP .5'], metrics['coco/bar/AP .5']) > 0.5
