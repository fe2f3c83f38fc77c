# AI Challenger: 14 keypoints, no areas in the annotations.
_base_ = './coco_keypoints.py'

data_root = 'data/aic/'
metainfo = dict(from_file='configs/_base_/datasets/aic.py')

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/aic_train.json',
        data_prefix=dict(
            img='ai_challenger_keypoint_train_20170902/keypoint_train_images_20170902/'
        ),
        metainfo=metainfo,
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/aic_val.json',
        data_prefix=dict(
            img='ai_challenger_keypoint_validation_20170911/'
            'keypoint_validation_images_20170911/'
        ),
        metainfo=metainfo,
    )
)
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='KeypointCocoMetric', use_area=False, score_mode='bbox', nms_mode='none'),
    dict(type='PersonBoxMetric'),
]
test_evaluator = val_evaluator
