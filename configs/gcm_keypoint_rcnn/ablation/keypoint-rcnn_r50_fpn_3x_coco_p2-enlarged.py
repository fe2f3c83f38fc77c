# Keypoints from P2 alone in enlarged boxes; the full method less GCM.
_base_ = '../../keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(featmap_strides=[4], zero_extend=True),
        box_scale=1.3,
    )
)
