# Mask R-CNN with global context in the keypoint head.
_base_ = '../../keypoint_rcnn/keypoint-rcnn_r50_fpn_3x_coco.py'

model = dict(
    roi_head=dict(
        keypoint_head=dict(_delete_=True, type='GCMKeypointHead', num_keypoints=17)
    )
)
