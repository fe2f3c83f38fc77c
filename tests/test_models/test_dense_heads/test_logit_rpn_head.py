# Copyright (c) onestage_pose contributors.
"""Proposals are ranked as mmdet ranks them, but for those it cannot tell apart."""

from onestage_pose.models import LogitRPNHead
from onestage_pose.models.dense_heads import logit_rpn_head

import pytest
import torch
from mmdet.models.dense_heads import RPNHead
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

OPTIONS = dict(
    in_channels=4,
    feat_channels=4,
    anchor_generator=dict(
        type='AnchorGenerator', scales=[1], ratios=[1.0], strides=[16]
    ),
    bbox_coder=dict(type='DeltaXYWHBBoxCoder'),
    test_cfg=ConfigDict(
        nms_pre=6,
        max_per_img=4,
        nms=dict(type='nms', iou_threshold=0.7),
        min_bbox_size=0,
    ),
)


def proposals(cls, logits):
    """Of a map of 3x4 anchors that lie side by side."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        head = cls(**OPTIONS)
    deltas = torch.zeros(1, 4, 3, 4)
    meta = dict(img_shape=(48, 64))
    [found] = head.predict_by_feat(
        [logits.view(1, 1, 3, 4)], [deltas], batch_img_metas=[meta]
    )
    return found


def test_is_mmdets_where_the_sigmoid_tells_them_apart():
    logits = torch.randn(12) * 4
    ours, theirs = proposals(LogitRPNHead, logits), proposals(RPNHead, logits)
    assert torch.equal(ours.bboxes, theirs.bboxes)
    torch.testing.assert_close(ours.scores, theirs.scores, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('seed', range(4))
def test_sure_proposals_are_ranked_by_their_logits(seed):
    torch.manual_seed(seed)
    logits = 20 + torch.randperm(12).float()
    assert (logits.sigmoid() == 1).all()
    found = proposals(LogitRPNHead, logits)
    best = logits.argsort(descending=True)[:4]
    corner = torch.stack((best % 4, best // 4), 1) * 16.0
    # anchors of 16 px about the upper left corner of each cell, clipped
    expected = torch.cat((corner - 8, corner + 8), 1).clamp(min=0)
    torch.testing.assert_close(found.bboxes, expected)
    assert (found.scores > 0.999).all()


def test_reads_the_maps_of_the_largest_strides_that_it_has_anchors_for():
    with DefaultScope.overwrite_default_scope('mmdet'):
        head = LogitRPNHead(**OPTIONS)
    coarse, fine = torch.randn(1, 4, 3, 4), torch.randn(1, 4, 6, 8)
    [logits], [deltas] = head((fine, coarse))
    [expected], _ = head((coarse,))
    assert torch.equal(logits, expected) and deltas.shape == (1, 4, 3, 4)


class TestTogether:
    """Proposals of all images at once, against mmdet's loop over the images."""

    METAS = [dict(img_shape=(48, 64)), dict(img_shape=(40, 50))]

    def found(self, predict_by_feat, **changes):
        with DefaultScope.overwrite_default_scope('mmdet'):
            head = LogitRPNHead(
                **{
                    **OPTIONS,
                    'anchor_generator': dict(
                        type='AnchorGenerator',
                        scales=[2],
                        ratios=[0.5, 1.0],
                        strides=[8, 16],
                    ),
                    'test_cfg': ConfigDict({**OPTIONS['test_cfg'], **changes}),
                }
            )
        generator = torch.Generator().manual_seed(0)
        sizes = [(6, 8), (3, 4)]
        logits, deltas = (
            [torch.randn(2, 2 * each, *size, generator=generator) for size in sizes]
            for each in (1, 4)
        )
        return predict_by_feat(head, logits, deltas, batch_img_metas=self.METAS)

    @pytest.mark.parametrize(
        'changes',
        [
            dict(nms_pre=60, max_per_img=20),
            dict(nms_pre=-1, max_per_img=100),
            dict(nms_pre=60, max_per_img=20, min_bbox_size=18),
            dict(nms_pre=20, max_per_img=9, nms=dict(type='nms', iou_threshold=0.2)),
            # mmdet's own loop then
            dict(nms=dict(type='nms', iou_threshold=0.5, max_num=3)),
        ],
    )
    def test_is_what_each_image_has_alone(self, changes):
        found = self.found(LogitRPNHead.predict_by_feat, **changes)
        expected = self.found(RPNHead.predict_by_feat, **changes)
        for these, those in zip(found, expected):
            assert torch.equal(these.bboxes, those.bboxes)
            assert torch.equal(these.labels, those.labels)
            torch.testing.assert_close(these.scores, those.scores)


def test_anchors_are_kept_for_a_few_sizes(monkeypatch):
    with DefaultScope.overwrite_default_scope('mmdet'):
        head = LogitRPNHead(**OPTIONS)
    monkeypatch.setattr(logit_rpn_head, 'MAX_KNOWN_ANCHORS', 2)
    for height in (2, 3, 3, 4, 3):
        logits, deltas = torch.randn(1, 1, height, 4), torch.zeros(1, 4, height, 4)
        meta = dict(img_shape=(16 * height, 64))
        cfg = ConfigDict({**OPTIONS['test_cfg'], 'max_per_img': 99, 'nms_pre': 99})
        [found] = head.predict_by_feat(
            [logits], [deltas], batch_img_metas=[meta], cfg=cfg
        )
        assert len(found) == 4 * height
    assert len(head._known_anchors) == 2
