# The 3x schedule on one GPU, as the method was released: 2 images a batch.
_base_ = './schedule_1x.py'

train_cfg = dict(max_iters=2160000, val_interval=80000)
optim_wrapper = dict(optimizer=dict(lr=0.0025))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1001),
    dict(type='MultiStepLR', by_epoch=False, milestones=[1680000, 2000000], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=2)
