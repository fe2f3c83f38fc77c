# Detectron2's 1x schedule: 90,000 iterations of 16 images.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=90000, val_interval=10000)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001),
    paramwise_cfg=dict(norm_decay_mult=0.0),
    # Clips nothing, but has the gradient's norm logged and watched.
    clip_grad=dict(max_norm=1e12, norm_type=2),
)
param_scheduler = [
    # mmengine reaches the full rate one iteration before `end`, Detectron2 at 1000.
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1001),
    dict(type='MultiStepLR', by_epoch=False, milestones=[60000, 80000], gamma=0.1),
]

# `--auto-scale-lr` scales the rate for batches of another size.
auto_scale_lr = dict(enable=False, base_batch_size=16)
