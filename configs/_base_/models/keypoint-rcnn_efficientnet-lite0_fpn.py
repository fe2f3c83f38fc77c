# Keypoint R-CNN, small enough for a CPU: EfficientNet-Lite0, pretrained on ImageNet,
# a narrow FPN and narrow heads.
_base_ = './keypoint-rcnn_r50_fpn.py'

model = dict(
    data_preprocessor=dict(
        mean=[127.0, 127.0, 127.0], std=[128.0, 128.0, 128.0], bgr_to_rgb=True
    ),
    backbone=dict(
        _delete_=True,
        type='TimmBackbone',
        model_name='efficientnet_lite0',
        # as the weights were trained
        bn_eps=1e-3,
        out_indices=(1, 2, 3, 4),
        frozen_stages=1,
        freeze_depthwise=True,
        # in bfloat16 keypoints would move three times as far, for 7% of the time
        predict_in_float32=True,
        norm_eval=True,
        # written by tools/model_converters/efficientnet_lite_to_timm.py
        init_cfg=dict(type='Pretrained', checkpoint='data/efficientnet_lite0.pth'),
    ),
    neck=dict(
        in_channels=[24, 40, 112, 320], out_channels=96, norm_cfg=dict(type='BN')
    ),
    rpn_head=dict(in_channels=96, feat_channels=96),
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(sampling_ratio=2), out_channels=96),
        bbox_head=dict(in_channels=96, fc_out_channels=256),
        keypoint_roi_extractor=dict(roi_layer=dict(sampling_ratio=2), out_channels=96),
        keypoint_head=dict(
            num_convs=4, in_channels=96, conv_out_channels=128, norm_cfg=dict(type='BN')
        ),
        loss_keypoint=dict(type='GaussianCrossEntropyLoss', sigma=1.0),
        codec=dict(decode_mode='expected_oks', score_mode='expected_oks'),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=300),
        rcnn=dict(
            sampler=dict(
                _delete_=True,
                type='CombinedSampler',
                num=40,
                pos_fraction=0.25,
                neg_pos_ub=-1,
                add_gt_as_proposals=True,
                # as many of one person as of the other
                pos_sampler=dict(type='InstanceBalancedPosSampler'),
                neg_sampler=dict(type='RandomSampler'),
            )
        ),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=300, max_per_img=200),
        rcnn=dict(max_per_img=30),
        # people by the OKS to be expected of them
        rescore_thr=0.0,
    ),
)
