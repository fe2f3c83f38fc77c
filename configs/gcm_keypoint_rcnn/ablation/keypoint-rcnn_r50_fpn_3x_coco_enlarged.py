# Mask R-CNN with boxes widened by 1.3 and extended by zeros.
_base_ = '../../keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'

model = dict(
    roi_head=dict(keypoint_roi_extractor=dict(zero_extend=True), box_scale=1.3)
)
