# Detectron2's Keypoint R-CNN that also says which keypoints are there and seen.
_base_ = './keypoint-rcnn_r50_fpn_1x_coco.py'

model = dict(roi_head=dict(keypoint_head=dict(visibility_branch=dict())))
