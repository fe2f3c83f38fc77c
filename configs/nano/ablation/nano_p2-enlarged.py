# Keypoints from P2 alone in enlarged boxes; the full method without global context.
_base_ = './nano_plain.py'

model = dict(
    roi_head=dict(
        keypoint_roi_extractor=dict(featmap_strides=[4], zero_extend=True),
        box_scale=1.25,
    )
)
