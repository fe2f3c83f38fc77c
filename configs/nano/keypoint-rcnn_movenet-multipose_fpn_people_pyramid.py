# nano, as it is used and fine-tuned: the weights of its training, which is on images of
# one size, look at every image twice, whole and at half its size. Boxes of up to 224
# px are read from the first, larger ones from the second.
_base_ = './keypoint-rcnn_movenet-multipose_fpn_people.py'

model = dict(
    image_pyramid=True,
    # strides of the maps: 4, 8 of the half, 8, and 16, 32, 64, 128 of the half
    rpn_head=dict(anchor_generator=dict(strides=[8, 16, 32, 64, 128])),
    roi_head=dict(
        bbox_roi_extractor=dict(
            featmap_strides=[4, 8, 16, 32, 64], levels=[0, 2, 3, 4, 5]
        ),
        keypoint_roi_extractor=dict(featmap_strides=[4, 8], finest_scale=112),
    ),
    # fewer proposals and people take less time, and hardly one of them was right
    test_cfg=dict(rpn=dict(nms_pre=150), rcnn=dict(score_thr=0.15)),
)

load, resize, pack = _base_.test_pipeline
test_pipeline = [load, dict(resize, scale=(512, 512)), pack]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
