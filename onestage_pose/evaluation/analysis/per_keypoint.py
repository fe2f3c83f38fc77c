# Copyright (c) onestage_pose contributors.
"""How well each keypoint is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .average_precision import average_precision
from .errors import KINDS, KeypointErrors
from .people import ImagePeople

#: Shares of the longer side of the true box within which PCK takes a keypoint as right.
PCK_SHARES = (0.05, 0.1, 0.2)


def measure_keypoints(
    images: Sequence[ImagePeople],
    errors: Sequence[KeypointErrors],
    names: Sequence[str],
    sigmas: np.ndarray,
) -> list[dict]:
    """Measure each keypoint, and all of them together.

    Args:
        images (Sequence[ImagePeople]): By rising image id.
        errors (Sequence[KeypointErrors]): Of each image.
        names (Sequence[str]): (K,).
        sigmas (np.ndarray): (K,).

    Returns:
        list[dict]: K + 1, the last one named ``'all'``. Of each: ``name``; ``AP``,
        where only this keypoint is labelled and compared; ``PCK``, by share, of the
        labelled keypoints of people who are found (OKS of 0.1 or more), and
        ``PCK_of_all``, which takes those of missed people as wrong; ``median_px`` and
        ``median_oks_units`` (of 2 sigma sqrt(area)), the median distance in found
        people; ``number`` of labelled keypoints of found people, ``number_of_all``;
        ``errors``, how many are of each kind. Shares are from 0 to 1; None where there
        is nothing to measure.
    """
    sigmas = np.asarray(sigmas)
    table = [_gather(image, error, sigmas) for image, error in zip(images, errors)]
    pixels, units, shares, kinds = (
        np.concatenate([row[part] for row in table]).reshape(-1, len(names))
        for part in range(4)
    )
    totals = sum(image.labelled[~image.ignored].sum(0) for image in images)
    rows = []
    for index, name in enumerate(names):
        alone = [image.select_keypoint(index) for image in images]
        ap = average_precision(alone, sigmas[index : index + 1]).ap
        columns = (each[:, index] for each in (pixels, units, shares, kinds))
        rows.append(_row(name, ap, *columns, totals[index]))
    ap = average_precision(images, sigmas).ap
    flat = (each.ravel() for each in (pixels, units, shares, kinds))
    return [*rows, _row('all', ap, *flat, totals.sum())]


def _gather(
    image: ImagePeople, errors: KeypointErrors, sigmas: np.ndarray
) -> tuple[np.ndarray, ...]:
    """(M, K) distances in pixels, in OKS units and over the box, and kinds."""
    offsets = image.keypoints[errors.found] - image.truth[errors.truth]
    pixels = np.hypot(offsets[..., 0], offsets[..., 1])
    scale = np.sqrt(image.areas[errors.truth])[:, None] * 2 * sigmas
    sides = image.boxes[errors.truth, 2:].max(1, initial=0)[:, None]
    with np.errstate(divide='ignore', invalid='ignore'):
        return pixels, pixels / scale, pixels / sides, errors.kinds


def _row(
    name: str,
    ap: float,
    pixels: np.ndarray,
    units: np.ndarray,
    shares: np.ndarray,
    kinds: np.ndarray,
    total: int,
) -> dict:
    labelled = kinds >= 0
    number, total = int(labelled.sum()), int(total)
    right = {share: int((shares[labelled] <= share).sum()) for share in PCK_SHARES}
    return dict(
        name=name,
        AP=None if ap < 0 else ap,
        PCK={str(s): n / number if number else None for s, n in right.items()},
        PCK_of_all={str(s): n / total if total else None for s, n in right.items()},
        median_px=float(np.median(pixels[labelled])) if number else None,
        median_oks_units=float(np.median(units[labelled])) if number else None,
        number=number,
        number_of_all=total,
        errors={kind: int((kinds == n).sum()) for n, kind in enumerate(KINDS, 1)},
    )
