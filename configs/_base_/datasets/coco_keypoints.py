# COCO person keypoints, as Detectron2's Keypoint R-CNN trains and tests on them.
dataset_type = 'PersonKeypointsDataset'
data_mode = 'bottomup'
data_root = 'data/coco/'

train_pipeline = [
    dict(type='LoadPoseImage'),
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
        keep_ratio=True,
        backend='pillow',
    ),
    dict(type='PoseRandomFlip', prob=0.5),
    dict(type='PackKeypointRCNNInputs'),
]
test_pipeline = [
    dict(type='LoadPoseImage'),
    dict(
        type='PoseResize',
        scale=(1333, 800),
        keep_ratio=True,
        backend='pillow',
        image_only=True,
    ),
    dict(type='PackKeypointRCNNInputs'),
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='mmdet.AspectRatioBatchSampler'),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        data_root=data_root,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        data_root=data_root,
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

# Ranked by box score and without OKS-NMS, as the published figures are.
val_evaluator = [
    dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
    dict(type='PersonBoxMetric'),
]
test_evaluator = val_evaluator
