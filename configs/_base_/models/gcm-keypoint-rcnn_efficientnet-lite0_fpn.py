# The one-stage method, small enough for a CPU: as many 3x3 convs as the plain head
# has, with context modules between them.
_base_ = './keypoint-rcnn_efficientnet-lite0_fpn.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(featmap_strides=[4], zero_extend=True),
        keypoint_head=dict(
            _delete_=True,
            type='GCMKeypointHead',
            num_stages=2,
            num_convs=2,
            in_channels=96,
            conv_out_channels=128,
            roi_feat_size=14,
            num_heads=4,
            num_keypoints=17,
            conv_norm_cfg=dict(type='BN'),
        ),
        box_scale=1.3,
        codec=dict(area_ratio=0.53 / 1.3**2),
    )
)
