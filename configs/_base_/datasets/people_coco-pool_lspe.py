# COCO's images, and many more whose labels another model made, to train everything;
# LSP Extended's to train keypoints alone. Crowd regions, where unsure people may be,
# are ignored. `data/{coco_pool,coco_extra,people,lspe}` hold `images` and `annotations`
# in COCO's format.
dataset_type = 'PersonKeypointsDataset'
data_mode = 'bottomup'
metainfo = dict(from_file='configs/_base_/datasets/coco.py')
input_size = (256, 256)
# the first images of coco_pool's train are kept aside to choose by
kept_aside = 150

# decoded once
load_image = dict(type='LoadPoseImage', keep_in_memory=True)
window = dict(
    type='PoseRandomAffine',
    input_size=input_size,
    size_range=(200, 512),
    rotate=25.0,
    rotate_prob=0.5,
)
# Several to an image, about the size of each other.
half_window = dict(
    type='PoseRandomAffine',
    input_size=(128, 128),
    scale_to='person',
    size_range=(50, 135),
    rotate=30.0,
    rotate_prob=0.6,
)
third_window = dict(half_window, input_size=(85, 85), size_range=(40, 90))

coco_pool = dict(
    type=dataset_type,
    data_root='data/coco_pool/',
    ann_file='annotations/person_keypoints_train_complete.json',
    data_prefix=dict(img='images/train/'),
    indices=list(range(kept_aside, 615)),
    keep_crowds=True,
    pipeline=[load_image, window],
)
coco_extra = dict(
    type=dataset_type,
    data_root='data/coco_extra/',
    ann_file='annotations/person_keypoints_train_complete.json',
    data_prefix=dict(img='images/train/'),
    keep_crowds=True,
    pipeline=[load_image, window],
)
coco_cut = dict(
    coco_extra,
    ann_file='annotations/person_keypoints_cut_complete.json',
    data_prefix=dict(img='images/cut/'),
    known_visibilities=(),
)
people = dict(
    type=dataset_type,
    data_root='data/people/',
    ann_file='annotations/person_keypoints_train.json',
    data_prefix=dict(img='images/train/'),
    keep_crowds=True,
    # predicted by another model: unsure keypoints are left out
    known_visibilities=(),
    pipeline=[load_image, window],
)
half_tiles = dict(type='PoseMosaic', grid=(2, 2), tile=[load_image, half_window])
coco_tiles = dict(coco_pool, pipeline=[half_tiles])
people_tiles = dict(people, pipeline=[half_tiles])
# About one person in an image, bystanders are not annotated, boxes end at the joints.
lspe = dict(
    type=dataset_type,
    data_root='data/lspe/',
    ann_file='annotations/person_keypoints_train_faces.json',
    data_prefix=dict(img='images/'),
    keypoints_only=True,
    known_visibilities=(),
    pipeline=[
        dict(
            type='PoseMosaic',
            grid=(3, 3),
            tile=[load_image, dict(type='BoxesFromKeypoints'), third_window],
        )
    ],
)
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    prefetch_factor=4,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='CombinedDataset',
        metainfo=metainfo,
        datasets=[
            coco_pool,
            coco_extra,
            coco_cut,
            people,
            coco_tiles,
            people_tiles,
            lspe,
        ],
        # of 100 images 25 of COCO, 38 of `people`, 26 of tiles, 11 of LSP Extended
        sample_ratio_factor=[3.0, 3.0, 3.0, 1.0, 2.0, 0.4, 0.25],
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
        scale=(416, 416),
        keep_ratio=True,
        backend='pillow',
        image_only=True,
    ),
    dict(type='PackKeypointRCNNInputs'),
]
# Choosing: the images of train kept aside, with what the labels lack.
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root='data/coco_pool/',
        ann_file='annotations/person_keypoints_train_complete.json',
        data_prefix=dict(img='images/train/'),
        indices=kept_aside,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
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
# Ranked by the score that the model gives (box times keypoints, see
# `test_cfg.rescore_thr`), without OKS-NMS.
val_evaluator = [
    dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
    dict(type='PersonBoxMetric'),
]
test_evaluator = val_evaluator
