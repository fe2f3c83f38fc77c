# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from typing import NamedTuple

#: A person's area over that of the box, on average over COCO's annotations.
PERSON_AREA_RATIO = 0.53


class DecoderOptions(NamedTuple):
    """Options of decoders and scores.

    Attributes:
        window (int): Reach of the window about the highest bin, in bins to every side.
        blur_kernel_size (int): Size of DARK's Gaussian blur, in bins, odd.
        sigmas (tuple[float, ...], optional): (K,) sigmas of OKS, for the expected OKS.
            By default COCO's.
        area_ratio (float): Ratio of an instance's area to its box's, for the expected
            OKS.
    """

    window: int = 2
    blur_kernel_size: int = 11
    sigmas: tuple[float, ...] | None = None
    area_ratio: float = PERSON_AREA_RATIO
