# Keypoints from P2 alone in enlarged boxes; the full method less global context.
_base_ = './keypoint-rcnn_efficientnet-lite0_fpn_500i_coco-pool_p2.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(zero_extend=True),
        box_scale=1.3,
        codec=dict(area_ratio=0.53 / 1.3**2),
    )
)
