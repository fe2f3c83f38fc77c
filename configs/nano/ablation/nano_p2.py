# Keypoints from P2 alone.
_base_ = './nano_plain.py'

model = dict(roi_head=dict(keypoint_roi_extractor=dict(featmap_strides=[4])))
