# Three categories in one COCO file, each with its own keypoints: 17 + 20 + 5. A model
# for it has bbox_head.num_classes=3 and keypoint_head.num_keypoints=42
# (docs/how_to/several_categories.md).
_base_ = ['coco_keypoints.py']

metainfo = dict(
    dataset_name='person-dog-racket',
    categories=[
        dict(name='person', from_file='configs/_base_/datasets/coco.py'),
        dict(name='dog', from_file='configs/_base_/datasets/animalpose.py'),
        dict(
            name='racket',
            keypoint_info={
                0: dict(name='top', id=0, swap=''),
                1: dict(name='left', id=1, swap='right'),
                2: dict(name='right', id=2, swap='left'),
                3: dict(name='throat', id=3, swap=''),
                4: dict(name='grip', id=4, swap=''),
            },
            skeleton_info={
                0: dict(link=('top', 'left'), id=0),
                1: dict(link=('top', 'right'), id=1),
                2: dict(link=('left', 'throat'), id=2),
                3: dict(link=('right', 'throat'), id=3),
                4: dict(link=('throat', 'grip'), id=4),
            },
            joint_weights=[1.0] * 5,
            sigmas=[0.05] * 5,
        ),
    ],
)
data = dict(
    data_root='data/person-dog-racket/',
    data_prefix=dict(img='images/'),
    metainfo=metainfo,
)
train_dataloader = dict(dataset=dict(ann_file='annotations/train.json', **data))
val_dataloader = dict(dataset=dict(ann_file='annotations/val.json', **data))
test_dataloader = val_dataloader
