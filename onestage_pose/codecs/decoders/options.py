# Copyright (c) onestage_pose contributors.
from __future__ import annotations

from typing import NamedTuple

#: A person's area over that of the box, on average over COCO's annotations.
PERSON_AREA_RATIO = 0.53


class DecoderOptions(NamedTuple):
    """What decoders and scores may be told beside the logits.

    Attributes:
        window (int): Bins to every side of the highest one, for the score of a window.
        blur_kernel_size (int): Bins of DARK's Gaussian blur, odd.
        sigmas (tuple[float, ...], optional): (K,) of OKS, for the expected OKS. By
            default COCO's.
        area_ratio (float): An instance's area over that of its box, for the expected
            OKS.
    """

    window: int = 2
    blur_kernel_size: int = 11
    sigmas: tuple[float, ...] | None = None
    area_ratio: float = PERSON_AREA_RATIO
