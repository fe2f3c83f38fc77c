# Copyright (c) onestage_pose contributors.
"""How well predicted probabilities tell events apart, and how true they come."""

from __future__ import annotations

import numpy as np

#: Squared Mahalanobis distance within which a share of a 2D Gaussian lies.
ELLIPSES = {0.5: -2 * np.log(0.5), 0.9: -2 * np.log(0.1)}


def auroc(probability: np.ndarray, happened: np.ndarray) -> float:
    """Return the area under the receiver operating characteristic.

    It is the share of pairs, of what happened and what did not, in which the former has
    the higher probability; ties count half.

    Args:
        probability (np.ndarray): (N,).
        happened (np.ndarray): (N,) bool.

    Returns:
        float: 0 to 1; -1 where one of the kinds is missing.
    """
    positives = int(happened.sum())
    negatives = len(happened) - positives
    if not positives or not negatives:
        return -1.0
    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    wins = ranks[happened].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def average_precision(probability: np.ndarray, happened: np.ndarray) -> float:
    """Return the mean precision over all that happened, by falling probability.

    Args:
        probability (np.ndarray): (N,).
        happened (np.ndarray): (N,) bool.

    Returns:
        float: 0 to 1; -1 where nothing happened. Equal probabilities are one threshold.
    """
    if not happened.any():
        return -1.0
    order = np.argsort(-probability, kind='stable')
    hits = np.cumsum(happened[order])
    last = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    precision, gained = hits[last] / (last + 1), np.diff(hits[last], prepend=0)
    return float((precision * gained).sum() / hits[-1])


def brier_score(probability: np.ndarray, happened: np.ndarray) -> float:
    """Return the mean squared error of probabilities (N,), -1 for none."""
    return float(np.mean((probability - happened) ** 2)) if len(happened) else -1.0


def reliability(
    probability: np.ndarray, happened: np.ndarray, num_bins: int = 10
) -> list[tuple[float, float, int]]:
    """Compare probabilities with frequencies, in bins of equal width.

    Args:
        probability (np.ndarray): (N,) from 0 to 1.
        happened (np.ndarray): (N,) bool.
        num_bins (int): Bins.

    Returns:
        list[tuple[float, float, int]]: Of each bin that is not empty the mean
        probability, the share that happened, and the number.
    """
    place = np.minimum((probability * num_bins).astype(int), num_bins - 1)
    return [
        (
            float(probability[place == number].mean()),
            float(happened[place == number].mean()),
            int((place == number).sum()),
        )
        for number in np.unique(place)
    ]


def expected_calibration_error(
    probability: np.ndarray, happened: np.ndarray, num_bins: int = 10
) -> float:
    """Return the mean distance of probabilities and frequencies, see `reliability`.

    Args:
        probability (np.ndarray): (N,) from 0 to 1.
        happened (np.ndarray): (N,) bool.
        num_bins (int): Bins.

    Returns:
        float: 0 to 1, weighted by the numbers in the bins; -1 for no probability.
    """
    bins = reliability(probability, happened, num_bins)
    total = sum(number for *_, number in bins)
    gap = sum(abs(mean - share) * number for mean, share, number in bins)
    return gap / total if total else -1.0


def share_inside_ellipses(
    errors: np.ndarray, covariances: np.ndarray
) -> dict[float, float]:
    """Return which shares of positions lie in the ellipses that should hold them.

    Args:
        errors (np.ndarray): (N, 2), predicted less true positions, in pixels.
        covariances (np.ndarray): (N, 2, 2), in square pixels.

    Returns:
        dict[float, float]: By the share that a Gaussian would have there; -1 for no
        position.
    """
    if not len(errors):
        return dict.fromkeys(ELLIPSES, -1.0)
    distances = squared_mahalanobis(errors, covariances)
    return {share: float((distances <= r).mean()) for share, r in ELLIPSES.items()}


def squared_mahalanobis(errors: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """Return the squared distances (N,) of errors (N, 2) by covariances (N, 2, 2)."""
    solved = np.linalg.solve(covariances, errors[..., None])[..., 0]
    return (errors * solved).sum(-1)
