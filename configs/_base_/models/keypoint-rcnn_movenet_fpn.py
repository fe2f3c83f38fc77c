# Keypoint R-CNN on MoveNet's backbone, which knows human poses already: proposals
# from stride 8 on, keypoints from P2 alone in enlarged boxes.
_base_ = './keypoint-rcnn_r50_fpn.py'

crowd_assigner = dict(type='CrowdIoUAssigner', ignore_iof_thr=0.5)
model = dict(
    data_preprocessor=dict(
        # x * 0.007843017578125 - 1
        mean=[127.50194552529183] * 3,
        std=[127.50194552529183] * 3,
        bgr_to_rgb=True,
    ),
    backbone=dict(
        _delete_=True,
        type='MoveNet',
        arch='multipose',
        pose_maps=True,
        norm_outputs=True,
        frozen_stages=5,
        # written by tools/model_converters/movenet_to_onestage.py
        init_cfg=dict(type='Pretrained', checkpoint='data/movenet_multipose.pth'),
    ),
    neck=dict(
        type='PosePriorFPN',
        in_channels=[84, 92, 188, 524],
        # of MoveNet's 84: 40 of MobileNetV2, 24 fused, the centre, 17 joints, a size
        prior=(65, 82),
        out_channels=64,
        norm_cfg=dict(type='BN'),
    ),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(
            scales=[3.0, 4.5], ratios=[0.6, 1.2, 2.4], strides=[8, 16, 32, 64]
        ),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=2), out_channels=64),
        bbox_head=dict(in_channels=64, fc_out_channels=256),
        keypoint_roi_extractor=dict(
            # averaged to 14x14 with sampling_ratio=2 for the head's trunk
            roi_layer=dict(output_size=28, sampling_ratio=1),
            out_channels=64,
            featmap_strides=[4],
            zero_extend=True,
        ),
        keypoint_head=dict(
            type='FinePriorKeypointHead',
            prior_scale=2.5,
            detail_channels=48,
            num_convs=4,
            in_channels=64,
            conv_out_channels=96,
            norm_cfg=dict(type='BN'),
            visibility_branch=dict(channels=64),
        ),
        loss_keypoint=dict(type='GaussianCrossEntropyLoss', sigma=1.0),
        box_scale=1.25,
        codec=dict(decode_mode='expected_oks', score_mode='expected_oks'),
    ),
    train_cfg=dict(
        rpn=dict(assigner=crowd_assigner),
        rpn_proposal=dict(nms_pre=250, max_per_img=200),
        rcnn=dict(
            assigner=crowd_assigner,
            sampler=dict(
                _delete_=True,
                type='CombinedSampler',
                num=64,
                pos_fraction=0.25,
                neg_pos_ub=-1,
                add_gt_as_proposals=True,
                # as many of one person as of the other
                pos_sampler=dict(type='InstanceBalancedPosSampler'),
                neg_sampler=dict(type='RandomSampler'),
            ),
        ),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=300, max_per_img=200),
        rcnn=dict(max_per_img=30),
        # people by the OKS to be expected of them
        rescore_thr=0.0,
        rescore_by_presence=True,
    ),
)
