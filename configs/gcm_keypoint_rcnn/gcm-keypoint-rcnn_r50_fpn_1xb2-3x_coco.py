# The release's run on one GPU: 2 images a batch, an eighth of the learning
# rate, eight times the iterations, the same passes over the data.
_base_ = [
    '../_base_/models/gcm-keypoint-rcnn_r50_fpn.py',
    '../_base_/datasets/coco_keypoints.py',
    '../_base_/schedules/schedule_3x_1xb2.py',
    '../_base_/default_runtime.py',
]
