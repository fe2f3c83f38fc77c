# Keypoints from P2 alone.
_base_ = './keypoint-rcnn_efficientnet-lite0_fpn_500i_coco-pool.py'

model = dict(roi_head=dict(keypoint_roi_extractor=dict(featmap_strides=[4])))
