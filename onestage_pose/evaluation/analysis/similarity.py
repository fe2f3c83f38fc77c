# Copyright (c) onestage_pose contributors.
"""COCO's similarity of keypoints and of people."""

from __future__ import annotations

import numpy as np

from .people import ImagePeople


def keypoint_similarity(
    points: np.ndarray, truth: np.ndarray, areas: np.ndarray, sigmas: np.ndarray
) -> np.ndarray:
    """Compare each keypoint of found people with that of true ones.

    With the distance d, ``ks = exp(-d^2 / (2 area (2 sigma)^2))``: 1 in the same
    place, 0.61 at a distance of ``2 sigma sqrt(area)``, which is one "OKS unit".

    Args:
        points (np.ndarray): (D, K, 2) in pixels.
        truth (np.ndarray): (G, K, 2) in pixels.
        areas (np.ndarray): (G,) of the true people, in square pixels.
        sigmas (np.ndarray): (K,) of the metainfo.

    Returns:
        np.ndarray: (D, G, K) float64, 0 to 1, labelled or not.
    """
    squares = ((points[:, None] - truth[None]) ** 2).sum(-1)
    return np.exp(-squares / double_variances(areas, sigmas))


def distance_of_similarity(
    similarity: np.ndarray | float, area: float, sigmas: np.ndarray
) -> np.ndarray:
    """Return at which distance, in pixels, a keypoint has a similarity.

    Args:
        similarity (np.ndarray | float): (K,) or one for all, above 0 and up to 1.
        area (float): Of the true person, in square pixels.
        sigmas (np.ndarray): (K,).

    Returns:
        np.ndarray: (K,) float64.
    """
    variances = double_variances(np.array([area]), sigmas)[0]
    return np.sqrt(-np.log(similarity) * variances)


def object_similarity(people: ImagePeople, sigmas: np.ndarray) -> np.ndarray:
    """Compute COCO's OKS of all pairs of an image.

    It is the mean of :func:`keypoint_similarity` over the labelled keypoints. A true
    person without any is compared by how far keypoints lie outside of its box, widened
    by its size to every side, as COCO does to ignore who is found there.

    Args:
        people (ImagePeople): D found, G true people.
        sigmas (np.ndarray): (K,).

    Returns:
        np.ndarray: (D, G) float64.
    """
    similarity = keypoint_similarity(
        people.keypoints, people.truth, people.areas, sigmas
    )
    labelled = people.labelled
    with_labels = (similarity * labelled).sum(-1) / np.maximum(labelled.sum(1), 1)
    if labelled.any(1).all():
        return with_labels
    near = people.boxes[:, :2] - people.boxes[:, 2:]
    far = people.boxes[:, :2] + 2 * people.boxes[:, 2:]
    points = people.keypoints[:, None]
    outside = np.maximum(near[:, None] - points, 0) + np.maximum(
        points - far[:, None], 0
    )
    squares = (outside**2).sum(-1)
    by_box = np.exp(-squares / double_variances(people.areas, sigmas)).mean(-1)
    return np.where(labelled.any(1), with_labels, by_box)


def double_variances(areas: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """Return what squared distances are divided by in a similarity.

    Args:
        areas (np.ndarray): (G,) of the true people, in square pixels.
        sigmas (np.ndarray): (K,).

    Returns:
        np.ndarray: (G, K); a person without area is like nobody, as in COCO.
    """
    return 2 * (areas[:, None] + np.spacing(1)) * (2 * np.asarray(sigmas)) ** 2
