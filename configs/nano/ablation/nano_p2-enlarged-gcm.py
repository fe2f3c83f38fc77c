# The full method: P2 alone, enlarged boxes, and context modules between as many 3x3
# convs as the plain head has.
_base_ = './nano_p2-enlarged.py'

model = dict(
    roi_head=dict(
        keypoint_head=dict(
            _delete_=True,
            type='GCMKeypointHead',
            num_stages=2,
            num_convs=2,
            in_channels=64,
            conv_out_channels=96,
            roi_feat_size=14,
            num_heads=4,
            num_keypoints=17,
            conv_norm_cfg=dict(type='BN'),
        )
    )
)
