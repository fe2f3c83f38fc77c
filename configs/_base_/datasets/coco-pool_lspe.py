# COCO images to train everything, LSP Extended's to train the limbs' keypoints.
# `data/coco_pool` and `data/lspe` hold `images` and `annotations` in COCO's format.
dataset_type = 'PersonKeypointsDataset'
data_mode = 'bottomup'
metainfo = dict(from_file='configs/_base_/datasets/coco.py')
input_size = (320, 320)

load_image = dict(type='LoadPoseImage', keep_in_memory=True)

coco_train = dict(
    type=dataset_type,
    data_root='data/coco_pool/',
    ann_file='annotations/person_keypoints_train.json',
    data_prefix=dict(img='images/train/'),
    pipeline=[
        load_image,
        dict(
            type='PoseRandomAffine',
            input_size=input_size,
            size_range=(240, 720),
            rotate=25.0,
            rotate_prob=0.6,
        ),
    ],
)
# Nine to an image, about the size of each other.
person_window = dict(
    type='PoseRandomAffine',
    input_size=(input_size[0] // 3, input_size[1] // 3),
    scale_to='person',
    size_range=(50, 115),
    rotate=30.0,
    rotate_prob=0.6,
)
coco_tiles_train = dict(
    type=dataset_type,
    data_root='data/coco_pool/',
    ann_file='annotations/person_keypoints_train.json',
    data_prefix=dict(img='images/train/'),
    pipeline=[dict(type='PoseMosaic', grid=(3, 3), tile=[load_image, person_window])],
)
# About one person in an image, bystanders are not annotated, boxes end at the joints.
lspe_train = dict(
    type=dataset_type,
    data_root='data/lspe/',
    ann_file='annotations/person_keypoints_train.json',
    data_prefix=dict(img='images/'),
    keypoints_only=True,
    pipeline=[
        dict(
            type='PoseMosaic',
            grid=(3, 3),
            tile=[
                load_image,
                dict(type='BoxesFromKeypoints'),
                person_window,
            ],
        )
    ],
)
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='CombinedDataset',
        metainfo=metainfo,
        datasets=[coco_train, coco_tiles_train, lspe_train],
        # three single images, three of tiles, two of tiles from LSP Extended
        sample_ratio_factor=[4.0, 4.0, 0.41],
        pipeline=[
            dict(type='YOLOXHSVRandomAug'),
            dict(type='PoseRandomFlip', prob=0.5),
            dict(type='PackKeypointRCNNInputs'),
        ],
    ),
)

test_pipeline = [
    dict(type='LoadPoseImage'),
    dict(
        type='PoseResize',
        scale=(512, 512),
        keep_ratio=True,
        backend='pillow',
        image_only=True,
    ),
    dict(type='PackKeypointRCNNInputs'),
]
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root='data/coco_pool/',
        ann_file='annotations/person_keypoints_val.json',
        data_prefix=dict(img='images/val/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
# Ranked by the score that the model gives (box times keypoints, see
# `test_cfg.rescore_thr`), without OKS-NMS.
val_evaluator = [
    dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
    dict(type='PersonBoxMetric'),
]
test_evaluator = val_evaluator
