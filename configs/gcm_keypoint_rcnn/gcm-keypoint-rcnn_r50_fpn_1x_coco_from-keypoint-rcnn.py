# The method in a tenth of its released schedule, on one GPU: a new GCM head on the
# trunk (backbone, FPN, RPN, box branch) of a trained Keypoint R-CNN, which is
# downloaded once and goes on learning at a quarter of the head's rate.
_base_ = [
    '../_base_/models/gcm-keypoint-rcnn_r50_fpn.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/schedule_3x_1xb2.py',
    '../_base_/default_runtime.py',
]

trunk = 'zoo://keypoint-rcnn_r50_fpn_3x_coco'
model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint=trunk, prefix='backbone')
    ),
    neck=dict(init_cfg=dict(type='Pretrained', checkpoint=trunk, prefix='neck')),
    rpn_head=dict(
        init_cfg=dict(type='Pretrained', checkpoint=trunk, prefix='rpn_head')
    ),
    roi_head=dict(
        bbox_head=dict(
            init_cfg=dict(
                type='Pretrained', checkpoint=trunk, prefix='roi_head.bbox_head'
            )
        )
    ),
)

# 2 images a batch: a tenth of the release's 2,160,000 iterations.
train_cfg = dict(max_iters=216000, val_interval=27000)
trained = dict(lr_mult=0.25)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys=dict(
            backbone=trained, neck=trained, rpn_head=trained, bbox_head=trained
        )
    )
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1001),
    dict(type='MultiStepLR', by_epoch=False, milestones=[168000, 200000], gamma=0.1),
]
