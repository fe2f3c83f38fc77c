# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from mmdet.models.dense_heads import RPNHead
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor


@MODELS.register_module()
class LogitRPNHead(RPNHead):
    """mmdet's RPN that ranks its proposals by logits, as Detectron2's does.

    mmdet ranks by the sigmoid, which in float32 is 1 from a logit of 17 on: among
    several sure proposals chance decides then which are kept, and the people found
    differ between runtimes. The scores given are probabilities as before.

    It reads the maps of the largest strides, as many as the anchor generator has
    strides: without P2 it costs a quarter.

    Args: see mmdet's ``RPNHead``.
    """

    # keeps the sigmoid of any logit that occurs apart from that of its neighbours
    TEMPERATURE = 8.0

    def forward(self, x: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor]]:
        """Return logits and box deltas of each level, see mmdet's.

        Args:
            x (tuple[Tensor]): Feature maps, each (B, C, H, W), finest first.
        """
        return super().forward(x[-self.prior_generator.num_levels :])

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
