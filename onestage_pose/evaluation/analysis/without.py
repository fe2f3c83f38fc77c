# Copyright (c) onestage_pose contributors.
"""What AP would be without each kind of error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .average_precision import average_precision
from .errors import KINDS, KeypointErrors, correct
from .matching import Match
from .people import ImagePeople

#: Errors of people, beside :data:`~onestage_pose.evaluation.analysis.errors.KINDS`.
PEOPLE_KINDS = ('doubles', 'false people', 'missed people', 'ranking')


def measure_without(
    images: Sequence[ImagePeople],
    matches: Sequence[Match],
    errors: Sequence[KeypointErrors],
    sigmas: np.ndarray,
) -> dict[str, dict[str, float]]:
    """Evaluate again with one kind of error removed at a time.

    Jitter, inversion, swap and miss, and all four of them: the keypoints are put where
    they belong (:func:`correct`). ``doubles`` and ``false people`` are left out, of
    whatever score; ``missed people`` leaves the true ones out whom nobody is like;
    ``ranking`` gives each found person the OKS with its partner for a score, and 0
    where there is none.

    Args:
        images (Sequence[ImagePeople]): By rising image id.
        matches (Sequence[Match]): Of each image.
        errors (Sequence[KeypointErrors]): Of each image.
        sigmas (np.ndarray): (K,).

    Returns:
        dict: By kind: ``AP`` without it; ``AP_paper``, for errors of keypoints, with
        Ronchi and Perona's partial correction. From 0 to 1, -1 for nothing to measure.
    """
    values = {}
    for name, kinds in [(kind, [kind]) for kind in KINDS] + [('keypoints', KINDS)]:
        values[name] = {
            key: average_precision(
                [
                    correct(image, error, sigmas, kinds, how)
                    for image, error in zip(images, errors)
                ],
                sigmas,
            ).ap
            for key, how in (('AP', 'truth'), ('AP_paper', 'paper'))
        }
    for kind in PEOPLE_KINDS:
        changed = [_without(kind, *pair) for pair in zip(images, matches)]
        values[kind] = dict(AP=average_precision(changed, sigmas).ap)
    return values


def _without(kind: str, image: ImagePeople, match: Match) -> ImagePeople:
    if kind == 'doubles':
        return image.keep_found(~match.is_double)
    if kind == 'false people':
        return image.keep_found(~match.is_false)
    if kind == 'missed people':
        return image.keep_truth(~match.is_missed)
    ranked = replace(image, scores=match.oks)
    return ranked.keep_found(np.argsort(-match.oks, kind='mergesort'))
