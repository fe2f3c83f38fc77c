# What a trained nano adds to its heatmaps at 28x28, and the transposed convolution: the
# last part of its training. It starts from the weights of the part before:
# --cfg-options load_from=work_dirs/nano-visibility/iter_400.pth
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people.py'

train_cfg = dict(max_iters=600)
optim_wrapper = dict(optimizer=dict(lr=0.001))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=20, end=600, eta_min_ratio=0.01
    ),
]
custom_hooks = [
    dict(
        type='TrainOnlyHook',
        modules=[
            'roi_head.keypoint_head.detail',
            'roi_head.keypoint_head.context',
            'roi_head.keypoint_head.refine',
            'roi_head.keypoint_head.deconv',
        ],
    ),
]
