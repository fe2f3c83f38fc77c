# nano, the model that comes with the package: its backbone knows human poses and does
# not learn.
_base_ = [
    '../_base_/models/keypoint-rcnn_movenet_fpn.py',
    '../_base_/datasets/people_coco-pool_lspe.py',
    '../_base_/default_runtime.py',
]

# Ended by hand, when the loss no longer falls; the rate falls in a run of its own.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=100000)
val_cfg = dict()
test_cfg = dict()

test_evaluator = [
    dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
    dict(type='PersonBoxMetric'),
    dict(type='KeypointVisibilityMetric'),
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.0006, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=10.0, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50)
]
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=100, max_keep_ckpts=3)
)
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(
        type='EMAHook',
        ema_type='mmdet.ExpMomentumEMA',
        momentum=0.004,
        gamma=150,
        priority=49,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)
