# SimpleBaseline on the person boxes that this project's Keypoint R-CNN found;
# docs/how_to/two_stage.md says how to make the file of boxes.
_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res101_8xb64-210e_coco-256x192.py'
)

custom_imports = dict(imports=['onestage_pose'], allow_failed_imports=False)

# the published comparison is without flip test
model = dict(test_cfg=dict(flip_test=False))

bbox_file = 'work_dirs/keypoint-rcnn_r101_fpn_3x_coco/person_boxes.bbox.json'
val_dataloader = dict(dataset=dict(type='DetectedPeopleDataset', bbox_file=bbox_file))
test_dataloader = val_dataloader
