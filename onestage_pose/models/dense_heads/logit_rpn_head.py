# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from ...ops.batched_nms import batched_nms
from ...utils.arguments import check_arguments
from ..utils.together import (
    best_of_each,
    clip_boxes,
    decodes_together,
    is_plain_nms,
    move_apart,
)

# of as many sizes of images
MAX_KNOWN_ANCHORS = 8


@MODELS.register_module()
class LogitRPNHead(RPNHead):
    """mmdet's RPN that ranks its proposals by logits, as Detectron2's does.

    mmdet ranks by the sigmoid, which is 1 in float32 for logits from 17 on. It is then
    arbitrary which of several certain proposals are kept, and detections differ between
    runtimes. The returned scores are probabilities, as in mmdet.

    The proposals of all images are computed together; mmdet goes image by image.

    It uses as many feature maps as the anchor generator has strides, the coarsest ones:
    without P2 it takes a quarter of the time.

    Args: see mmdet's ``RPNHead``.
    """

    __init__ = check_arguments(RPNHead.__init__)
    # keeps the sigmoid of any logit that occurs apart from that of its neighbours
    TEMPERATURE = 8.0

    def forward(self, x: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor]]:
        """Return logits and box deltas of each level, see mmdet's.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W), finest first.
        """
        return super().forward(x[-self.prior_generator.num_levels :])

    def predict_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        score_factors: list[Tensor] | None = None,
        batch_img_metas: list[dict] | None = None,
        cfg: ConfigDict | None = None,
        rescale: bool = False,
        with_nms: bool = True,
    ) -> list[InstanceData]:
        """Compute the proposals of all images, with the result of mmdet's image by
        image.

        Args:
            cls_scores (list[Tensor]): Logits of each level, (B, A, H, W).
            bbox_preds (list[Tensor]): Deltas of each level, (B, 4 A, H, W).
            score_factors (list[Tensor], optional): As in mmdet.
            batch_img_metas (list[dict]): With ``img_shape`` (h, w) of each image.
            cfg (ConfigDict, optional): ``nms_pre``, ``nms``, ``max_per_img`` and
                ``min_bbox_size``; those of ``test_cfg`` by default.
            rescale (bool): As in mmdet.
            with_nms (bool): As in mmdet.

        Returns:
            list[InstanceData]: For each image, ``bboxes`` (N, 4) in the network input's
            frame, ``scores`` (N,) and ``labels`` (N,), which are 0; best first.
        """
        cfg = self.test_cfg if cfg is None else cfg
        together = (
            self.use_sigmoid_cls
            and score_factors is None
            and with_nms
            and not rescale
            and is_plain_nms(cfg.nms)
            and decodes_together(self.bbox_coder)
        )
        if not together:
            return super().predict_by_feat(
                cls_scores,
                bbox_preds,
                score_factors,
                batch_img_metas,
                cfg,
                rescale,
                with_nms,
            )
        logits, boxes = self._best_of_each_level(cls_scores, bbox_preds, cfg)
        if self.bbox_coder.clip_border:
            boxes = clip_boxes(boxes.flatten(1, 2), batch_img_metas).view_as(boxes)
        valid = logits > -torch.inf
        if cfg.get('min_bbox_size', -1) >= 0:
            sides = boxes[..., 2:] - boxes[..., :2]
            valid = valid & (sides > cfg.min_bbox_size).all(-1)
        level = torch.arange(boxes.shape[1], device=boxes.device)
        apart = move_apart(
            boxes.flatten(1, 2),
            level.repeat_interleave(boxes.shape[2]),
            valid.flatten(1),
        )
        kept = batched_nms(
            apart.view_as(boxes).flatten(0, 1),
            logits.flatten(0, 1),
            valid.flatten(0, 1),
            cfg.nms.iou_threshold,
        )
        logits = logits.flatten(1)
        best, numbers = best_of_each(kept.view_as(logits), logits, cfg.max_per_img)
        scores = logits.flatten()[best].sigmoid()
        found = boxes.flatten(0, 2)[best], scores, torch.zeros_like(best)
        return [
            InstanceData(bboxes=bboxes, scores=scores, labels=labels)
            for bboxes, scores, labels in zip(*(each.split(numbers) for each in found))
        ]

    def _anchors(self, *key: Any) -> list[Tensor]:
        """Anchors (H * W * A, 4) of each level, for sizes, a dtype and a device.

        Those of the last sizes are kept: they take fifty kernels, and a few MB.
        """
        known = vars(self).setdefault('_known_anchors', {})
        if key not in known:
            if len(known) == MAX_KNOWN_ANCHORS:
                known.clear()
            known[key] = self.prior_generator.grid_priors(*key)
        return known[key]

    def _best_of_each_level(
        self, cls_scores: list[Tensor], bbox_preds: list[Tensor], cfg: ConfigDict
    ) -> tuple[Tensor, Tensor]:
        """Logits (B, L, M) and boxes (B, L, M, 4) of the best M of each level.

        Of a level that has fewer, the last logits are -inf.
        """
        sizes = tuple(tuple(each.shape[-2:]) for each in cls_scores)
        anchors_of_levels = self._anchors(
            sizes, cls_scores[0].dtype, cls_scores[0].device
        )
        most = max(map(len, anchors_of_levels))
        if cfg.get('nms_pre', -1) > 0:
            most = min(most, cfg.nms_pre)
        levels = []
        for logits, deltas, anchors in zip(cls_scores, bbox_preds, anchors_of_levels):
            logits = logits.detach().permute(0, 2, 3, 1).flatten(1).float()
            deltas = deltas.detach().permute(0, 2, 3, 1).reshape(len(logits), -1, 4)
            logits, order = logits.sort(dim=1, descending=True, stable=True)
            logits, order = logits[:, :most], order[:, :most]
            level = (
                logits,
                deltas.gather(1, order[..., None].expand(-1, -1, 4)),
                anchors[order],
            )
            missing = most - order.shape[1]
            if missing:
                level = (
                    F.pad(level[0], (0, missing), value=-torch.inf),
                    *(F.pad(each, (0, 0, 0, missing)) for each in level[1:]),
                )
            levels.append(level)
        logits, deltas, anchors = (torch.stack(each, 1) for each in zip(*levels))
        boxes = self.bbox_coder.decode(anchors.view(-1, 4), deltas.view(-1, 4))
        return logits, boxes.view_as(anchors)

    def _predict_by_feat_single(
        self, cls_score_list: list[Tensor], *args, **kwargs
    ) -> InstanceData:
        """Proposals of one image, see mmdet's."""
        if not self.use_sigmoid_cls:
            return super()._predict_by_feat_single(cls_score_list, *args, **kwargs)
        # the head's order is that of the scores, whatever the temperature
        softened = [logits.float() / self.TEMPERATURE for logits in cls_score_list]
        results = super()._predict_by_feat_single(softened, *args, **kwargs)
        results.scores = (self.TEMPERATURE * results.scores.logit()).sigmoid()
        return results
