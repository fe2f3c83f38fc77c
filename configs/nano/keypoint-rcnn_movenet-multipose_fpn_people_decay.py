# The end of a training of nano: the rate falls to 0. It starts from the averaged
# weights of the run before: --cfg-options load_from=work_dirs/nano-2/iter_N.pth
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people.py'

train_cfg = dict(max_iters=600)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=20, end=600, eta_min_ratio=0.01
    ),
]
