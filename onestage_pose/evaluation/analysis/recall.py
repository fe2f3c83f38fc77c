# Copyright (c) onestage_pose contributors.
"""Who is found: by size, by crowding, by the number of labelled keypoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .average_precision import OKS_THRESHOLDS
from .matching import match_greedily
from .people import ImagePeople
from .similarity import object_similarity

#: Bounds of the areas, in square pixels: COCO's small, medium and large, and larger.
SIZES = (32**2, 96**2, 192**2)
#: Least IoU of two true boxes that crowd each other, Ronchi and Perona's.
CROWDING_IOU = 0.1


def measure_recall(
    images: Sequence[ImagePeople], sigmas: np.ndarray
) -> dict[str, list[dict]]:
    """Measure the share of true people that is found, of whatever score.

    Args:
        images (Sequence[ImagePeople]): By rising image id.
        sigmas (np.ndarray): (K,).

    Returns:
        dict: ``size`` (square root of the area), ``crowding`` (true boxes of an IoU of
        0.1 or more with the person's) and ``labelled keypoints``: lists of ``group``,
        ``number`` of people, ``recall`` at an OKS of 0.5 and ``AR``, the mean over
        OKS thresholds of 0.5 to 0.95. Groups without anybody have None.
    """
    found = np.concatenate(
        [np.zeros((len(OKS_THRESHOLDS), 0), bool)]
        + [_found(image, sigmas) for image in images],
        axis=1,
    )
    number = len(np.asarray(sigmas))

    def gather(value: Callable[[ImagePeople], np.ndarray]) -> np.ndarray:
        values = [value(image)[~image.ignored] for image in images]
        return np.concatenate([np.zeros(0), *values])

    labels = gather(lambda image: image.labelled.sum(1))
    step = max(1, -(-5 * number // 17))
    edges = range(step + 1, number + 1, step)
    names = [
        _range(low, min(low + step - 1, number)) for low in range(1, number + 1, step)
    ]
    return {
        'size': _groups(
            ['under 32 px', '32 to 96 px', '96 to 192 px', 'over 192 px'],
            np.digitize(gather(lambda image: image.areas), SIZES),
            found,
        ),
        'crowding': _groups(
            ['0 others', '1 or 2', '3 or more'],
            np.digitize(gather(count_neighbours), [1, 3]),
            found,
        ),
        'labelled keypoints': _groups(names, np.digitize(labels, list(edges)), found),
    }


def count_neighbours(image: ImagePeople) -> np.ndarray:
    """Count whose true boxes overlap with each person's (G,), crowd regions too."""
    near, sizes = image.boxes[:, :2], image.boxes[:, 2:]
    low = np.maximum(near[:, None], near[None])
    high = np.minimum((near + sizes)[:, None], (near + sizes)[None])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(sizes, axis=1)
    union = areas[:, None] + areas[None] - shared
    overlap = shared / np.maximum(union, np.spacing(1))
    np.fill_diagonal(overlap, 0)
    return (overlap >= CROWDING_IOU).sum(1)


def _found(image: ImagePeople, sigmas: np.ndarray) -> np.ndarray:
    """(T, G') bool, which of the people that count are found."""
    chosen = match_greedily(
        object_similarity(image, sigmas), image.ignored, image.crowd, OKS_THRESHOLDS
    )
    truths = np.arange(len(image.areas))
    return (chosen[..., None] == truths).any(1)[:, ~image.ignored]


def _groups(names: Sequence[str], places: np.ndarray, found: np.ndarray) -> list[dict]:
    rows = []
    for place, name in enumerate(names):
        here = found[:, places == place]
        number = here.shape[1]
        rows.append(
            dict(
                group=name,
                number=number,
                recall=float(here[0].mean()) if number else None,
                AR=float(here.mean()) if number else None,
            )
        )
    return rows


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f'{low} to {high}'
