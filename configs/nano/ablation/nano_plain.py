# Keypoint R-CNN with a new keypoint head on nano's trained trunk, whose backbone is
# frozen: keypoints from all levels, in the boxes as they are. The base of the other
# variants, which are trained and tested like it.
_base_ = '../keypoint-rcnn_movenet-multipose_fpn_people.py'

trunk = (
    '{{ fileDirname }}/../../../onestage_pose/weights/'
    'keypoint-rcnn_movenet-multipose_fpn_people_pyramid-c62a8ef6.pth'
)
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=trunk, prefix='backbone')),
    neck=dict(init_cfg=dict(type='Pretrained', checkpoint=trunk, prefix='neck')),
    rpn_head=dict(
        init_cfg=dict(type='Pretrained', checkpoint=trunk, prefix='rpn_head')
    ),
    roi_head=dict(
        bbox_head=dict(
            init_cfg=dict(
                type='Pretrained', checkpoint=trunk, prefix='roi_head.bbox_head'
            )
        ),
        keypoint_roi_extractor=dict(
            roi_layer=dict(output_size=14, sampling_ratio=2),
            featmap_strides=[4, 8, 16, 32],
            zero_extend=False,
        ),
        keypoint_head=dict(
            _delete_=True,
            type='ConvKeypointHead',
            num_keypoints=17,
            num_convs=4,
            in_channels=64,
            conv_out_channels=96,
            norm_cfg=dict(type='BN'),
        ),
        box_scale=1.0,
    ),
    test_cfg=dict(rescore_by_presence=None),
)

# without a visibility branch
test_evaluator = {{_base_.val_evaluator}}

train_dataloader = dict(batch_size=4)
train_cfg = dict(max_iters=500, val_interval=500)
trained = dict(lr_mult=0.25)
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys=dict(neck=trained, rpn_head=trained, bbox_head=trained)
    )
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=50,
        end=500,
        eta_min_ratio=0.01,
    ),
]
default_hooks = dict(checkpoint=dict(interval=500))
auto_scale_lr = dict(enable=False, base_batch_size=4)
