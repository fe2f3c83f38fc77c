# Copyright (c) onestage_pose contributors.
"""COCO's average precision of keypoints, on arrays.

The same numbers as pycocotools' (a test compares them). The report asks for it once for
each keypoint and once for each kind of error, for which files and dicts take long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .matching import match_greedily
from .people import ImagePeople
from .similarity import object_similarity

#: OKS thresholds that AP is the mean over.
OKS_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)


class AveragePrecision(NamedTuple):
    """COCO's values, each from 0 to 1; -1 where there is nobody to find.

    Attributes:
        ap (float): Mean over OKS thresholds of 0.5 to 0.95.
        ap50 (float): At an OKS of 0.5.
        ap75 (float): At an OKS of 0.75.
        ar (float): Mean over the thresholds of the share of people found.
    """

    ap: float
    ap50: float
    ap75: float
    ar: float


def average_precision(
    images: Sequence[ImagePeople], sigmas: np.ndarray
) -> AveragePrecision:
    """Measure found people of all sizes.

    Args:
        images (Sequence[ImagePeople]): By rising image id.
        sigmas (np.ndarray): (K,).

    Returns:
        AveragePrecision: The mean over categories.
    """
    categories = sorted({image.category_id for image in images})
    curves = [
        _curve([image for image in images if image.category_id == category], sigmas)
        for category in categories
    ]
    curves = [curve for curve in curves if curve is not None]
    if not curves:
        return AveragePrecision(-1.0, -1.0, -1.0, -1.0)
    precision = np.mean([precision for precision, _ in curves], axis=0)
    recall = np.mean([recall for _, recall in curves])
    return AveragePrecision(
        float(precision.mean()), float(precision[0]), float(precision[5]), float(recall)
    )


def _curve(
    images: Sequence[ImagePeople], sigmas: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Return mean precision at each threshold (T,) and the mean of the recalls."""
    wanted = sum(int((~image.ignored).sum()) for image in images)
    if not wanted:
        return None
    chosen, ignored = [], []
    for image in images:
        found = match_greedily(
            object_similarity(image, sigmas), image.ignored, image.crowd, OKS_THRESHOLDS
        )
        chosen.append(found >= 0)
        none = np.zeros(found.shape, bool)
        ignored.append(
            (found >= 0) & image.ignored[found] if image.areas.size else none
        )
    scores = np.concatenate([image.scores for image in images])
    order = np.argsort(-scores, kind='mergesort')
    is_right = np.concatenate(chosen, axis=1)[:, order]
    counts = ~np.concatenate(ignored, axis=1)[:, order]
    right = np.cumsum(is_right & counts, axis=1)
    wrong = np.cumsum(~is_right & counts, axis=1)
    precision = np.zeros((len(OKS_THRESHOLDS), len(_RECALLS)))
    for row, (hits, faults) in enumerate(zip(right, wrong)):
        share = hits / (hits + faults + np.spacing(1))
        envelope = np.maximum.accumulate(share[::-1])[::-1]
        places = np.searchsorted(hits / wanted, _RECALLS, side='left')
        inside = places < len(envelope)
        precision[row, inside] = envelope[places[inside]]
    recall = right[:, -1] / wanted if right.shape[1] else np.zeros(len(right))
    return precision.mean(1), float(recall.mean())
