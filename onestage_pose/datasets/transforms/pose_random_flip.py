# Copyright (c) onestage_pose contributors.
"""Flip an image with its boxes, keypoints and masks."""

import numpy as np
from mmpose.datasets.transforms import RandomFlip
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PoseRandomFlip(RandomFlip):
    """Flip at random, with boxes in edge coordinates.

    In an image of width w, a keypoint (centre of the top-left pixel at 0, 0) goes to
    w - 1 - x and changes its name by ``flip_indices``, as in mmpose; a box goes to
    w - x, where mmpose's goes to w - 1 - x, a pixel too far left. Heights likewise.

    Changes ``img``, ``bbox`` (N, 4), ``keypoints`` (N, K, 2) with their
    ``keypoints_visible`` (N, K), ``visibility_targets`` (N, K, 2) and ``gt_masks``
    where they are there; sets ``flip`` and ``flip_direction``. Arguments: mmpose's.
    """

    def transform(self, results: dict) -> dict:
        """Flip or not; see the class for the keys.

        Args:
            results (dict): Holds ``img``, ``img_shape`` (h, w) and ``flip_indices``.

        Returns:
            dict: ``results``, changed.
        """
        results = super().transform(results)
        if not results['flip']:
            return results
        direction = results['flip_direction']
        if results.get('bbox') is not None:
            along_x = direction in ('horizontal', 'diagonal')
            along_y = direction in ('vertical', 'diagonal')
            results['bbox'] = results['bbox'] + np.array(
                [along_x, along_y, along_x, along_y], np.float32
            )
        if results.get('keypoints') is not None:
            results['keypoints'] = results['keypoints'].astype(np.float32)
        if results.get('visibility_targets') is not None and direction != 'diagonal':
            # left and right change places where mmpose's keypoints do
            results['visibility_targets'] = results['visibility_targets'].take(
                results['flip_indices'], axis=1
            )
        if results.get('gt_masks') is not None:
            results['gt_masks'] = results['gt_masks'].flip(direction)
        return results
