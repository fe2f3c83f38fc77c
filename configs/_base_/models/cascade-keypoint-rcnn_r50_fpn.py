# Cascade R-CNN's three box stages before the keypoint branch, as in Detectron2.
_base_ = './keypoint-rcnn_r50_fpn.py'

_box_head = dict(
    type='Shared2FCBBoxHead',
    in_channels=256,
    fc_out_channels=1024,
    roi_feat_size=7,
    num_classes=1,
    reg_class_agnostic=True,
    loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
    loss_bbox=dict(type='SmoothL1Loss', beta=0.5, loss_weight=1.0),
)
_stage = dict(
    assigner=dict(type='MaxIoUAssigner', match_low_quality=False, ignore_iof_thr=-1),
    sampler=dict(
        type='RandomSampler',
        num=512,
        pos_fraction=0.25,
        neg_pos_ub=-1,
        add_gt_as_proposals=True,
    ),
    pos_weight=-1,
    debug=False,
)

model = dict(
    roi_head=dict(
        type='CascadeKeypointRoIHead',
        num_stages=3,
        stage_loss_weights=[1.0, 1.0, 1.0],
        bbox_head=[
            dict(
                bbox_coder=dict(
                    type='DeltaXYWHBBoxCoder',
                    target_means=[0.0, 0.0, 0.0, 0.0],
                    target_stds=stds,
                ),
                **_box_head,
            )
            for stds in (
                [0.1, 0.1, 0.2, 0.2],
                [0.05, 0.05, 0.1, 0.1],
                [1 / 30, 1 / 30, 1 / 15, 1 / 15],
            )
        ],
    ),
    train_cfg=dict(
        rcnn=[
            dict(
                _stage,
                assigner=dict(
                    _stage['assigner'],
                    pos_iou_thr=iou,
                    neg_iou_thr=iou,
                    min_pos_iou=iou,
                ),
            )
            for iou in (0.5, 0.6, 0.7)
        ]
    ),
)

del _box_head, _stage
