# Copyright (c) onestage_pose contributors.
"""What a converter returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Renamed(NamedTuple):
    """Weights under their new names.

    Attributes:
        weights (dict[str, Tensor]): By new name; the tensors are the old ones.
        left_out (dict[str, Tensor]): Tensors without a new name, by old name.
    """

    weights: dict[str, Tensor]
    left_out: dict[str, Tensor]
