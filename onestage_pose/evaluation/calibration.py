# Copyright (c) onestage_pose contributors.
"""Fit what makes probabilities and covariances come true."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from .probabilities import ELLIPSES, squared_mahalanobis

_EPS = 1e-6


def fit_platt(probability: np.ndarray, happened: np.ndarray) -> tuple[float, float]:
    """Find the scale and shift of logits with the least cross-entropy (Platt, 1999).

    Args:
        probability (np.ndarray): (N,), the sigmoid of the logits.
        happened (np.ndarray): (N,) bool.

    Returns:
        tuple[float, float]: Scale and shift; 1 and 0 where only one kind is there,
        which tells nothing.
    """
    if happened.all() or not happened.any():
        return 1.0, 0.0
    logits = torch.from_numpy(probability).double().clamp(_EPS, 1 - _EPS).logit()
    target = torch.from_numpy(happened).double()
    fitted = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([fitted], max_iter=100, line_search_fn='strong_wolfe')

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(
            fitted[0] * logits + fitted[1], target
        )
        loss.backward()
        return loss

    optimizer.step(closure)
    scale, shift = fitted.tolist()
    return scale, shift


def fit_covariance_scale(errors: np.ndarray, covariances: np.ndarray) -> float:
    """Find the factor with which the 90% ellipses hold 90% of the positions.

    Args:
        errors (np.ndarray): (N, 2), predicted less true positions, in pixels.
        covariances (np.ndarray): (N, 2, 2), in square pixels.

    Returns:
        float: Above 0; 1 for no position.
    """
    if not len(errors):
        return 1.0
    distances = squared_mahalanobis(errors, covariances)
    return float(max(np.quantile(distances, 0.9) / ELLIPSES[0.9], _EPS))
