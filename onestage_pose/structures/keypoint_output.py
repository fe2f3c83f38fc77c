# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class KeypointOutput(NamedTuple):
    """Output of a keypoint head for N instances with K keypoints each.

    Attributes:
        logits (Tensor): (N, K, H, W), unnormalised scores of the bins of each
            instance's (enlarged) box; a softmax over H * W makes them a
            distribution.
        visibility (Tensor, optional): (N, K, 2), logits of each keypoint's presence and
            of its visibility if present, from a head with a :class:`VisibilityBranch`.
            Default None.
    """

    logits: Tensor
    visibility: Tensor | None = None
