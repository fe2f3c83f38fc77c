# Copyright (c) onestage_pose contributors.
"""Boxes of all images at once are those that mmdet finds image by image."""

from onestage_pose.models.roi_heads import NonEmptyBBoxHead
from onestage_pose.models.roi_heads.box_detection import (
    detect_together,
    detects_together,
    merge_together,
)

import pytest
import torch
from mmcv.ops import batched_nms
from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.structures.bbox import bbox_flip
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

METAS = [dict(img_shape=(64, 96)), dict(img_shape=(90, 60)), dict(img_shape=(64, 96))]
NUMBERS = [30, 0, 12]


def make_cfg(**changes):
    nms = dict(type='nms', iou_threshold=0.5)
    return ConfigDict({**dict(score_thr=0.3, nms=nms, max_per_img=8), **changes})


def make_head(cls=Shared2FCBBoxHead, num_classes=1, **options):
    init_default_scope('mmdet')
    return cls(
        in_channels=1,
        fc_out_channels=1,
        roi_feat_size=1,
        num_classes=num_classes,
        bbox_coder=dict(
            type='DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2], _scope_='mmdet'
        ),
        **options,
    )


def outputs(head):
    """RoIs, some beyond the border, and what the head may give for them."""
    total = sum(NUMBERS)
    corner = torch.rand(total, 2) * 60
    image = torch.arange(3.0).repeat_interleave(torch.tensor(NUMBERS))
    rois = torch.cat(
        (image[:, None], corner, corner + 5 + 30 * torch.rand(total, 2)), 1
    )
    columns = 4 * (1 if head.reg_class_agnostic else head.num_classes)
    return rois, torch.randn(total, head.num_classes + 1), torch.randn(total, columns)


def assert_same(found, expected):
    for these, those in zip(found, expected):
        assert len(these) == len(those)
        for name in ('bboxes', 'scores', 'labels'):
            assert torch.equal(these.get(name), those.get(name))


@pytest.mark.parametrize('most', [3, -1])
@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(num_classes=3),
        dict(num_classes=3, reg_class_agnostic=True),
        dict(cls=NonEmptyBBoxHead, min_size=8.0),
    ],
)
def test_are_mmdets(options, most):
    head, cfg = make_head(**options), make_cfg(max_per_img=most)
    given = outputs(head)
    expected = head.predict_by_feat(
        *(each.split(NUMBERS) for each in given), METAS, rcnn_test_cfg=cfg
    )
    found = detect_together(head, *given, NUMBERS, METAS, cfg)
    assert sum(map(len, found)) > 0
    assert_same(found, expected)


class OwnBBoxHead(Shared2FCBBoxHead):
    def _predict_by_feat_single(self, *args, **kwargs):
        return super()._predict_by_feat_single(*args, **kwargs)


@pytest.mark.parametrize(
    ('options', 'cfg', 'together'),
    [
        (dict(), make_cfg(), True),
        (dict(cls=NonEmptyBBoxHead), make_cfg(), True),
        (dict(cls=OwnBBoxHead), make_cfg(), False),
        (dict(), make_cfg(nms=dict(type='soft_nms', iou_threshold=0.5)), False),
        (dict(), None, False),
    ],
)
def test_a_head_of_ones_own_and_other_suppression_are_mmdets(options, cfg, together):
    assert detects_together(make_head(**options), cfg) == together


def detections(numbers):
    return [
        InstanceData(
            bboxes=torch.cat((xy, xy + 20), -1),
            scores=torch.rand(len(xy)),
            labels=torch.randint(2, (len(xy),)),
        )
        for xy in (torch.rand(number, 2) * 40 for number in numbers)
    ]


def test_mirror_images_are_merged_as_each_by_itself():
    cfg, expected = make_cfg(), []
    results, mirrored = detections([9, 0, 0]), detections([7, 4, 0])
    for result, other, meta in zip(results, mirrored, METAS):
        back = other.clone()
        back.bboxes = bbox_flip(other.bboxes, meta['img_shape'])
        both = InstanceData.cat([result, back])
        if len(both):
            both = both[batched_nms(both.bboxes, both.scores, both.labels, cfg.nms)[1]]
        expected.append(both[: cfg.max_per_img])
    assert_same(merge_together(results, mirrored, METAS, cfg), expected)
