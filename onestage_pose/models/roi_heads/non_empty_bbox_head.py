# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from mmdet.models.roi_heads.bbox_heads import Shared2FCBBoxHead
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from ...utils.arguments import NonNegativeFloat, check_arguments


@MODELS.register_module()
class NonEmptyBBoxHead(Shared2FCBBoxHead):
    """mmdet's box head without empty boxes, as torchvision's.

    A box that lies outside the image is clipped to a line at its border; mmdet counts
    it among the ``max_per_img`` instances.

    Args:
        *args: See mmdet's ``Shared2FCBBoxHead``.
        **kwargs: See mmdet's ``Shared2FCBBoxHead``.
        min_size (float): Smallest width and height of a box, in pixels of the network's
            input.
    """

    @check_arguments
    def __init__(self, *args, min_size: NonNegativeFloat = 1e-2, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.min_size = min_size

    def _predict_by_feat_single(
        self,
        roi: Tensor,
        cls_score: Tensor,
        bbox_pred: Tensor,
        img_meta: dict,
        rescale: bool = False,
        rcnn_test_cfg: ConfigDict | None = None,
    ) -> InstanceData:
        """Instances of one image, see mmdet's."""
        args = roi, cls_score, bbox_pred, img_meta, rescale
        if rcnn_test_cfg is None:
            return super()._predict_by_feat_single(*args)
        # An empty box overlaps no other, so NMS may come first.
        everybody = ConfigDict({**rcnn_test_cfg, 'max_per_img': -1})
        found = super()._predict_by_feat_single(*args, everybody)
        sides = found.bboxes[:, 2:] - found.bboxes[:, :2]
        found = found[(sides >= self.min_size).all(-1)]
        most = rcnn_test_cfg.max_per_img
        return found[:most] if most > 0 else found
