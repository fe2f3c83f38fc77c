# All but the MobileNetV2 of a trained nano, on windows of 320 px: in those of 256 px no
# larger person is whole. It starts from the weights of the part before:
# --cfg-options load_from=work_dirs/nano-2-details/iter_600.pth
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people.py'

input_size = (320, 320)
window = dict(_base_.window, input_size=input_size, size_range=(224, 640))
half_window = dict(_base_.half_window, input_size=(160, 160), size_range=(55, 168))
third_window = dict(_base_.third_window, input_size=(106, 106), size_range=(45, 112))

pipeline = [_base_.load_image, window]
coco_pool = dict(_base_.coco_pool, pipeline=pipeline)
coco_extra = dict(_base_.coco_extra, pipeline=pipeline)
coco_cut = dict(_base_.coco_cut, pipeline=pipeline)
people = dict(_base_.people, pipeline=pipeline)
half_tiles = dict(_base_.half_tiles, tile=[_base_.load_image, half_window])
coco_tiles = dict(_base_.coco_pool, pipeline=[half_tiles])
people_tiles = dict(_base_.people, pipeline=[half_tiles])
lspe = dict(
    _base_.lspe,
    pipeline=[
        dict(
            type='PoseMosaic',
            grid=(3, 3),
            tile=[_base_.load_image, dict(type='BoxesFromKeypoints'), third_window],
        )
    ],
)
train_dataloader = dict(
    dataset=dict(
        datasets=[
            coco_pool,
            coco_extra,
            coco_cut,
            people,
            coco_tiles,
            people_tiles,
            lspe,
        ]
    )
)

model = dict(backbone=dict(frozen_stages=4))
train_cfg = dict(max_iters=1600)
optim_wrapper = dict(
    # MoveNet's gradients are thousands of times as large, and the norm is clipped
    optimizer=dict(type='RelativeAdamW', lr=0.0004, eps=1e-11),
    paramwise_cfg=dict(custom_keys={'backbone': dict(relative=True, decay_mult=0.0)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=60),
    dict(
        type='CosineAnnealingLR', by_epoch=False, begin=60, end=1600, eta_min_ratio=0.01
    ),
]
randomness = dict(seed=7)
