# Synthetic people on 320x320 images, drawn on the fly: nothing to download.
dataset_type = 'SyntheticPeople'
data_mode = 'bottomup'

train_pipeline = [
    dict(type='LoadPoseImage'),
    dict(type='PoseRandomFlip', prob=0.5),
    dict(type='PackKeypointRCNNInputs'),
]
test_pipeline = [
    dict(type='LoadPoseImage'),
    dict(type='PackKeypointRCNNInputs'),
]
val_pipeline = test_pipeline

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        num_images=2000,
        img_size=(320, 320),
        seed=0,
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
        num_images=200,
        img_size=(320, 320),
        seed=1,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='KeypointCocoMetric', score_mode='bbox', nms_mode='none'),
    dict(type='PersonBoxMetric'),
]
test_evaluator = val_evaluator
