# Copyright (c) onestage_pose contributors.
"""What the annotations say of keypoints that are not there or not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..utils.errors import ConfigValueError

#: COCO's: not labelled, labelled but hidden, seen.
VISIBILITIES = (0, 1, 2)


def check_known_visibilities(known: Sequence[int], where: str) -> tuple[int, ...]:
    """Refuse what is no visibility of COCO.

    Args:
        known (Sequence[int]): Of 0, 1 and 2.
        where (str): Whose option it is, for the message.

    Returns:
        tuple[int, ...]: The same.

    Raises:
        ConfigValueError: It has other values.
    """
    if isinstance(known, str) or not set(known) <= set(VISIBILITIES):
        raise ConfigValueError(
            f'{where} got known_visibilities={known!r}; it lists which of the '
            "visibilities 0, 1 and 2 have COCO's meaning in this file, such as "
            '(0, 1, 2), or () for none.'
        )
    return tuple(known)


def get_visibility_targets(
    visibility: np.ndarray,
    known: Sequence[int],
    trusted: np.ndarray,
    annotated: np.ndarray | None = None,
    own: np.ndarray | None = None,
) -> np.ndarray:
    """Say what a visibility branch may learn from annotations.

    - *Presence*: 1 for a labelled keypoint, 0 for an unlabelled one of an instance that
      has labelled ones. Not known for an instance without any, nor for a keypoint that
      no instance of the file has.
    - *Visibility* of labelled keypoints: 1 where seen, 0 where hidden.

    Args:
        visibility (np.ndarray): (N, K) of COCO: 0 not labelled, 1 hidden, 2 seen.
        known (Sequence[int]): Which of these mean what they say. Without 0, presence is
            not known; without 1 or 2, visibility is not.
        trusted (np.ndarray): (N,) bool, the instances whose keypoints a person
            labelled.
        annotated (np.ndarray, optional): (K,) bool, the keypoints that are annotated
            at all; by default those that any of these instances has.
        own (np.ndarray, optional): (N, K) bool, the keypoints that an instance can
            have; by default all.

    Returns:
        np.ndarray: (N, K, 2) int8: presence and visibility, -1 where not known.
    """
    labelled = visibility > 0
    useful = trusted[:, None] & labelled.any(1, keepdims=True)
    useful = useful & (labelled.any(0) if annotated is None else annotated)
    if own is not None:
        useful = useful & own
    presence = np.where(useful & (0 in known), labelled, -1)
    seen = useful & labelled & {1, 2}.issubset(known)
    return np.stack([presence, np.where(seen, visibility == 2, -1)], -1).astype(np.int8)
