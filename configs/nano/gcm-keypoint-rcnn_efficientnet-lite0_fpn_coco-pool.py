# The small model that comes with the package, trained on a CPU.
_base_ = [
    '../_base_/models/gcm-keypoint-rcnn_efficientnet-lite0_fpn.py',
    '../_base_/datasets/coco-pool_lspe.py',
    '../_base_/default_runtime.py',
]

# as MMPose's configs test; without, it takes half the time
model = dict(test_cfg=dict(flip_test=True))

train_cfg = dict(type='IterBasedTrainLoop', max_iters=1600, val_interval=1600)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(
    type='Bfloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0006, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        custom_keys=dict(backbone=dict(lr_mult=0.25)),
    ),
    clip_grad=dict(max_norm=10.0, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=1600,
        eta_min_ratio=0.01,
    ),
]
default_hooks = dict(checkpoint=dict(interval=400))
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(
        type='EMAHook',
        ema_type='mmdet.ExpMomentumEMA',
        momentum=0.002,
        gamma=300,
        priority=49,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
