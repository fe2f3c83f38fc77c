# Copyright (c) onestage_pose contributors.
"""Split annotations by image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...utils.errors import UsageError

#: Of all images, at most so many are for validation.
VAL_SHARE, MAX_VAL = 0.2, 5000


def split_images(is_labelled: Sequence[bool], seed: int = 0) -> np.ndarray:
    """Choose the images to validate on.

    Args:
        is_labelled (Sequence[bool]): (I,) whether an image has a labelled keypoint.
        seed (int): Of the choice; equal data and seeds give equal splits.

    Returns:
        np.ndarray: (I,) bool, a fifth of the images with labelled keypoints and a fifth
        of the others, at most 5000; one with labelled keypoints at least.

    Raises:
        UsageError: Fewer than two images have labelled keypoints.
    """
    labelled = np.asarray(is_labelled, bool)
    if labelled.sum() < 2:
        raise UsageError(
            f'{labelled.sum()} of {len(labelled)} images have labelled keypoints; two '
            'are needed to train on one and to validate on the other. Annotate more, '
            'or give --val.'
        )
    generator = np.random.default_rng(seed)
    share = min(VAL_SHARE, MAX_VAL / len(labelled))
    is_val = np.zeros(len(labelled), bool)
    for group, least in ((labelled, 1), (~labelled, 0)):
        places = generator.permutation(np.flatnonzero(group))
        is_val[places[: max(least, round(share * len(places)))]] = True
    return is_val


def take_images(content: dict[str, Any], wanted: Sequence[bool]) -> dict[str, Any]:
    """Return a COCO file of some of the images, with their annotations.

    Args:
        content (dict): A COCO file.
        wanted (Sequence[bool]): (I,) which images.

    Returns:
        dict: The same with fewer images and annotations.
    """
    images = [image for image, take in zip(content['images'], wanted) if take]
    ids = {image['id'] for image in images}
    annotations = [each for each in content['annotations'] if each['image_id'] in ids]
    return {**content, 'images': images, 'annotations': annotations}
