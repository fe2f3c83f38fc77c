# Mask R-CNN with keypoints from P2 alone.
_base_ = '../../keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'

model = dict(roi_head=dict(keypoint_roi_extractor=dict(featmap_strides=[4])))
