# A small model, trained from scratch on synthetic people, on a CPU.
_base_ = [
    '../../../configs/_base_/models/gcm-keypoint-rcnn_r18-w32_fpn.py',
    '_base_/synthetic_people.py',
    '../../../configs/_base_/default_runtime.py',
]

custom_imports = dict(
    imports=['onestage_pose', 'onestage_pose.projects.synthetic_people']
)

# 8 images x 3000 iterations, each image seen once
train_dataloader = dict(
    batch_size=8,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(num_images=24000),
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=3000, val_interval=600)
val_cfg = dict()
test_cfg = dict()

# twice as fast on a CPU that multiplies in bfloat16; others train in float32
optim_wrapper = dict(
    type='Bfloat16OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=10.0, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=2600,
        end=3000,
        eta_min_ratio=0.01,
    ),
]
default_hooks = dict(checkpoint=dict(interval=200))
auto_scale_lr = dict(enable=False, base_batch_size=8)
