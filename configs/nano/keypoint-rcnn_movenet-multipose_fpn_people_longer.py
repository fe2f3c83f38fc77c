# The part before once more, on images of the two sizes that the image pyramid has: the
# last part of nano's training. It starts from the weights of the part before:
# --cfg-options load_from=work_dirs/nano-2-larger/iter_1600.pth
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people_larger.py'

window = dict(_base_.window, size_range=(200, 576))
pipeline = [_base_.load_image, window]
coco_pool = dict(_base_.coco_pool, pipeline=pipeline)
coco_extra = dict(_base_.coco_extra, pipeline=pipeline)
coco_cut = dict(_base_.coco_cut, pipeline=pipeline)
people = dict(_base_.people, pipeline=pipeline)
train_dataloader = dict(
    dataset=dict(
        datasets=[
            coco_pool,
            coco_extra,
            coco_cut,
            people,
            _base_.coco_tiles,
            _base_.people_tiles,
            _base_.lspe,
        ]
    )
)
train_cfg = dict(max_iters=1800)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=60),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=60, end=1800, eta_min_ratio=0.01
    ),
]
randomness = dict(seed=8)
