# torchvision's weights COCO_LEGACY, of an early epoch: the norms' epsilon is the usual.
_base_ = './keypoint-rcnn_r50_fpn_torchvision_coco.py'

model = dict(backbone=dict(norm_cfg=dict(eps=1e-5)))
