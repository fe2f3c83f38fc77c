_base_ = './keypoint-rcnn_r101_fpn_3x_coco.py'

# Detectron2's ResNeXt takes pixels divided by the standard deviation and has the
# stride in the 3x3 conv.
model = dict(
    data_preprocessor=dict(std=[57.375, 57.12, 58.395]),
    backbone=dict(
        type='ResNeXt',
        groups=32,
        base_width=8,
        style='pytorch',
        init_cfg=dict(checkpoint='open-mmlab://detectron2/resnext101_32x8d'),
    ),
)
