# Copyright (c) onestage_pose contributors.
"""Whether a score says how often it is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..probabilities import expected_calibration_error, reliability
from .errors import NEAR, KeypointErrors
from .matching import match_people
from .people import ImagePeople

BINS = 10
#: OKS from which on a found person counts as right.
RIGHT_OKS = 0.5


def measure_calibration(scores: np.ndarray, is_right: np.ndarray) -> dict | None:
    """Compare scores with the share that is right, in ten bins of equal width.

    Args:
        scores (np.ndarray): (N,) from 0 to 1.
        is_right (np.ndarray): (N,) bool.

    Returns:
        dict | None: ``curve``, a list of ``score`` (the mean of the bin), ``right``
        (the share) and ``number``, of the bins that have any; ``error``, the expected
        calibration error: the mean of ``|score - right|`` over all scores. None where
        there is no score, or one outside of 0 to 1, which no share can be compared
        with.
    """
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return None
    curve = [
        dict(score=mean, right=share, number=number)
        for mean, share, number in reliability(scores, is_right, BINS)
    ]
    error = expected_calibration_error(scores, is_right, BINS)
    return dict(curve=curve, error=error)


def calibrate_people(images: Sequence[ImagePeople], sigmas: np.ndarray) -> dict | None:
    """Calibrate ``bbox_scores``: a person is right at an OKS of 0.5 or more.

    Args:
        images (Sequence[ImagePeople]): By rising image id; whom COCO ignores is left
            out.
        sigmas (np.ndarray): (K,).

    Returns:
        dict | None: As :func:`measure_calibration`.
    """
    scores, is_right = [np.zeros(0)], [np.zeros(0, bool)]
    for image in images:
        match = match_people(image, sigmas, RIGHT_OKS)
        scores.append(image.bbox_scores[~match.is_ignored])
        is_right.append(match.truth_of[~match.is_ignored] >= 0)
    return measure_calibration(np.concatenate(scores), np.concatenate(is_right))


def calibrate_keypoints(
    images: Sequence[ImagePeople], errors: Sequence[KeypointErrors]
) -> dict | None:
    """Calibrate ``keypoint_scores``: right is a ``ks`` of 0.5 or more with its place.

    Args:
        images (Sequence[ImagePeople]): By rising image id.
        errors (Sequence[KeypointErrors]): Of each image. Labelled keypoints of people
            who are found count.

    Returns:
        dict | None: As :func:`measure_calibration`.
    """
    scores, is_right = [np.zeros(0)], [np.zeros(0, bool)]
    for image, error in zip(images, errors):
        labelled = error.kinds >= 0
        scores.append(image.keypoint_scores[error.found][labelled])
        is_right.append(error.own[labelled] >= NEAR)
    return measure_calibration(np.concatenate(scores), np.concatenate(is_right))
