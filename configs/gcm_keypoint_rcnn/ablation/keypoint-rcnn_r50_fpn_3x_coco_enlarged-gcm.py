# Enlarged boxes with GCM from all levels; the full method less P2 alone.
_base_ = '../../keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(zero_extend=True),
        box_scale=1.3,
        keypoint_head=dict(_delete_=True, type='GCMKeypointHead', num_keypoints=17),
    )
)
