# The end of a training of nano: the rate falls to 0. It starts from the averaged
# weights of the run before: --cfg-options load_from=work_dirs/nano-2/iter_N.pth
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people.py'

train_cfg = dict(max_iters=600)
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=False, begin=0, end=600, eta_min_ratio=0.01)
]
