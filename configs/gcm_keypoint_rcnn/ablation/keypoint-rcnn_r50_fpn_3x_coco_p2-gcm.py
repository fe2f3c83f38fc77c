# Keypoints from P2 alone with GCM; the full method less enlarged boxes.
_base_ = '../../keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(featmap_strides=[4]),
        keypoint_head=dict(_delete_=True, type='GCMKeypointHead', num_keypoints=17),
    )
)
