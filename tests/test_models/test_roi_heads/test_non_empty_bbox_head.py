# Copyright (c) onestage_pose contributors.
"""A box head that finds no empty boxes."""

from onestage_pose.models.roi_heads import NonEmptyBBoxHead

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

META = dict(img_shape=(100, 100), scale_factor=(1.0, 1.0))
# of the RoIs below: moved out to the right, as it is, moved down
DELTAS = torch.tensor([[50.0, 0, 0, 0], [0, 0, 0, 0], [0, 5.0, 0, 0]])
LOGITS = torch.tensor([[4.0, 0], [3.0, 0], [2.0, 0]])


@pytest.fixture
def head():
    init_default_scope('mmdet')
    return NonEmptyBBoxHead(
        in_channels=1,
        fc_out_channels=1,
        roi_feat_size=1,
        num_classes=1,
        bbox_coder=dict(
            type='DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2], _scope_='mmdet'
        ),
        loss_cls=dict(type='mmdet.CrossEntropyLoss'),
        loss_bbox=dict(type='mmdet.L1Loss'),
    )


def find(head, most):
    cfg = ConfigDict(
        score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=most
    )
    rois = torch.tensor([[0.0, 10, 10, 50, 50]]).expand(3, 5).clone()
    rois[:, 1:] = torch.tensor([10.0, 10, 50, 50])
    (found,) = head.predict_by_feat(
        rois=(rois,),
        cls_scores=(LOGITS,),
        bbox_preds=(DELTAS,),
        batch_img_metas=[META],
        rcnn_test_cfg=cfg,
    )
    return found.bboxes.tolist()


def test_a_box_out_of_the_image_is_left_out(head):
    assert find(head, 100) == [[10, 10, 50, 50], [10, 30, 50, 70]]


def test_it_takes_nobodys_place(head):
    assert find(head, 1) == [[10, 10, 50, 50]]
