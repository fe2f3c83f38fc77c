# Detectron2's 3x schedule: 270,000 iterations of 16 images.
_base_ = './schedule_1x.py'

train_cfg = dict(max_iters=270000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1001),
    dict(type='MultiStepLR', by_epoch=False, milestones=[210000, 250000], gamma=0.1),
]
