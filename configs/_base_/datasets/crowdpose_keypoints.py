# CrowdPose: 14 keypoints, no areas in the annotations, evaluated by crowd index.
_base_ = './coco_keypoints.py'

data_root = 'data/crowdpose/'
metainfo = dict(from_file='configs/_base_/datasets/crowdpose.py')

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/mmpose_crowdpose_trainval.json',
        data_prefix=dict(img='images/'),
        metainfo=metainfo,
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='annotations/mmpose_crowdpose_test.json',
        data_prefix=dict(img='images/'),
        metainfo=metainfo,
    )
)
test_dataloader = val_dataloader

val_evaluator = [
    dict(
        type='KeypointCocoMetric',
        iou_type='keypoints_crowd',
        use_area=False,
        score_mode='bbox',
        nms_mode='none',
    ),
    dict(type='PersonBoxMetric'),
]
test_evaluator = val_evaluator
