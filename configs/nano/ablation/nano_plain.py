# Keypoint R-CNN with a new keypoint head on nano's trained trunk, whose backbone is
# frozen. The base of the other variants, which are trained and tested like it.
_base_ = [
    '../../_base_/models/keypoint-rcnn_efficientnet-lite0_fpn.py',
    '../../_base_/datasets/coco-pool_lspe.py',
    '../../_base_/default_runtime.py',
]

trunk = (
    '{{ fileDirname }}/../../../onestage_pose/weights/'
    'gcm-keypoint-rcnn_efficientnet-lite0_fpn_coco-pool-1703fd32.pth'
)
model = dict(
    backbone=dict(
        frozen_stages=4,
        init_cfg=dict(type='Pretrained', checkpoint=trunk, prefix='backbone'),
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

train_dataloader = dict(batch_size=4, num_workers=1)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=500, val_interval=500)
val_cfg = dict()
test_cfg = dict()

trained = dict(lr_mult=0.25)
optim_wrapper = dict(
    type='Bfloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0006, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        custom_keys=dict(neck=trained, rpn_head=trained, bbox_head=trained),
    ),
    clip_grad=dict(max_norm=10.0, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=500,
        eta_min_ratio=0.01,
    ),
]
default_hooks = dict(checkpoint=dict(interval=500))
auto_scale_lr = dict(enable=False, base_batch_size=4)
