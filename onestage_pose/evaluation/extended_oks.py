# Copyright (c) onestage_pose contributors.
"""OKS in which keypoints that are not there count, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .analysis.similarity import double_variances

#: How much wider than a person's box the activation window is.
PADDING = 1.25


def extended_oks(
    errors: np.ndarray,
    truth: np.ndarray,
    is_there: np.ndarray,
    said_there: np.ndarray,
    boxes: np.ndarray,
    areas: np.ndarray,
    sigmas: Sequence[float],
) -> np.ndarray:
    """Return Ex-OKS of each person (ProbPose, arXiv 2412.02254).

    It is OKS over all keypoints with another distance: 0 for one that is not there and
    is said not to be; where the truth and the prediction differ, that from the
    position, true or predicted, to the border of the activation window, the person's
    box widened by :data:`PADDING`.

    Args:
        errors (np.ndarray): (N, K, 2), predicted less true positions, in pixels.
        truth (np.ndarray): (N, K, 2), true positions; any where not there.
        is_there (np.ndarray): (N, K) bool.
        said_there (np.ndarray): (N, K) bool, as predicted.
        boxes (np.ndarray): (N, 4) x, y, width, height of the people.
        areas (np.ndarray): (N,), in square pixels.
        sigmas (Sequence[float]): (K,) of OKS.

    Returns:
        np.ndarray: (N,) from 0 to 1.
    """
    half = boxes[:, None, 2:] / 2
    center = boxes[:, None, :2] + half
    predicted = truth + errors
    position = np.where(is_there[..., None], truth, predicted)
    # of a point outside: none, it is beyond the border already
    to_border = (half * PADDING - np.abs(position - center)).min(-1).clip(min=0)
    distance = np.where(
        is_there & said_there, np.linalg.norm(errors, axis=-1), to_border
    )
    distance = np.where(~is_there & ~said_there, 0, distance)
    return _similarity(distance, areas, sigmas).mean(-1)


def oks(
    errors: np.ndarray, is_there: np.ndarray, areas: np.ndarray, sigmas: Sequence[float]
) -> np.ndarray:
    """Return OKS (N,) of people with at least one keypoint, arguments as above."""
    distance = np.linalg.norm(errors, axis=-1)
    return np.average(
        _similarity(distance, areas, sigmas), axis=-1, weights=is_there.astype(float)
    )


def _similarity(
    distance: np.ndarray, areas: np.ndarray, sigmas: Sequence[float]
) -> np.ndarray:
    return np.exp(-(distance**2) / double_variances(areas, sigmas))
