# The visibility branch of a trained nano alone, on images whose annotations tell: the
# end of its training. It starts from the decay's weights:
# --cfg-options load_from=work_dirs/nano-2-decay/iter_600.pth
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people.py'

# of 100 images 60 whole ones of coco_pool and coco_extra and 40 of tiles
train_dataloader = dict(
    dataset=dict(sample_ratio_factor=[3.0, 3.0, 0.01, 0.001, 3.0, 0.001, 0.001])
)
train_cfg = dict(max_iters=400)
optim_wrapper = dict(optimizer=dict(lr=0.001))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=20, end=400, eta_min_ratio=0.01
    ),
]
custom_hooks = [
    dict(type='TrainOnlyHook', modules=['roi_head.keypoint_head.visibility_branch']),
]
