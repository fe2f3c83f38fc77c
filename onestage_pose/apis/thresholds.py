# Copyright (c) onestage_pose contributors.
"""From which scores on people are given and keypoints are drawn, in every front end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

#: People whose score is not over this are left out unless another value is given.
BBOX_THR = 0.3
#: Keypoints whose score is under this are not drawn unless another value is given.
KPT_THR = 0.3
#: The same for a codec with ``score_mode='peak'``, whose scores are low by nature;
#: Detectron2's value.
PEAK_KPT_THR = 0.05


def get_kpt_thr(model: nn.Module) -> float:
    """Return the default score from which on a model's keypoints are drawn."""
    codec = getattr(getattr(model, 'roi_head', None), 'codec', None)
    is_peak = getattr(codec, 'score_mode', None) == 'peak'
    return PEAK_KPT_THR if is_peak else KPT_THR
