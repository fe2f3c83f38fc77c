# torchvision's Keypoint R-CNN with its weights COCO_V1, to the last detail of its
# inference. It was trained for 46 epochs with steps at 36 and 43, which the 3x
# schedule comes nearest to.
_base_ = './keypoint-rcnn_r50_fpn_3x_coco.py'

# Images are resized as float32 and without smoothing, sides are cut off to pixels.
resize = dict(keep_ratio=True, backend='cv2', round_down=True)

train_pipeline = [
    dict(type='LoadPoseImage', to_float32=True),
    # annotations are read half a pixel further up and left than Detectron2's
    dict(type='KeypointsAsContinuous'),
    dict(
        type='RandomChoiceResize',
        scales=[
            (1333, 640),
            (1333, 672),
            (1333, 704),
            (1333, 736),
            (1333, 768),
            (1333, 800),
        ],
        resize_type='PoseResize',
        **resize,
    ),
    dict(type='PoseRandomFlip', prob=0.5),
    dict(type='PackKeypointRCNNInputs'),
]
test_pipeline = [
    dict(type='LoadPoseImage', to_float32=True),
    dict(type='PoseResize', scale=(1333, 800), image_only=True, **resize),
    dict(type='PackKeypointRCNNInputs'),
]
val_pipeline = test_pipeline
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

roi_align = dict(type='RoIAlign', sampling_ratio=2, aligned=False)
smooth_l1 = dict(_delete_=True, type='SmoothL1Loss', beta=1 / 9, loss_weight=1.0)

model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(
        # torchvision sets it to 0 when it loads these weights, which PyTorch's batch
        # norm refuses; in float32 this adds nothing to any variance that occurs
        norm_cfg=dict(eps=1e-12),
        # the stride in the 3x3 conv
        style='pytorch',
        init_cfg=dict(checkpoint='torchvision://resnet50'),
    ),
    rpn_head=dict(
        anchor_generator=dict(type='RoundedAnchorGenerator'), loss_bbox=smooth_l1
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=roi_align),
        bbox_head=dict(type='NonEmptyBBoxHead', loss_bbox=smooth_l1),
        keypoint_roi_extractor=dict(roi_layer=roi_align),
        keypoint_head=dict(continuous_keypoints=True),
    ),
    train_cfg=dict(rpn_proposal=dict(max_per_img=2000, min_bbox_size=1e-3)),
    test_cfg=dict(rpn=dict(min_bbox_size=1e-3)),
)

del resize, roi_align, smooth_l1
