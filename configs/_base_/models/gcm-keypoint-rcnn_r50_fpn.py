# The one-stage method: keypoints from P2 alone, in boxes widened by 1.3 and
# extended by zeros, through a head with global context.
_base_ = './keypoint-rcnn_r50_fpn.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(featmap_strides=[4], zero_extend=True),
        keypoint_head=dict(
            _delete_=True,
            type='GCMKeypointHead',
            num_stages=2,
            num_convs=4,
            in_channels=256,
            conv_out_channels=512,
            roi_feat_size=14,
            num_heads=4,
            num_keypoints=17,
        ),
        box_scale=1.3,
    )
)
