# Copyright (c) onestage_pose contributors.
"""Flip an image with its boxes, keypoints and masks."""

from collections.abc import Sequence

import numpy as np
from mmpose.datasets.transforms import RandomFlip
from mmpose.registry import TRANSFORMS

from ...utils.arguments import Share, check_arguments
from ...utils.errors import ConfigValueError

DIRECTIONS = ('horizontal', 'vertical', 'diagonal')


@TRANSFORMS.register_module()
class PoseRandomFlip(RandomFlip):
    """Flip at random, with boxes in edge coordinates.

    In an image of width w, the x of a keypoint (centre of the top-left pixel at 0, 0)
    becomes w - 1 - x, and left and right change places by ``flip_indices``, as in
    mmpose. The x of a box becomes w - x; mmpose's becomes w - 1 - x, one pixel too far
    left. Heights likewise.

    Changes ``img``, ``bbox`` (N, 4), ``keypoints`` (N, K, 2) with their
    ``keypoints_visible`` (N, K), ``visibility_targets`` (N, K, 2) and ``gt_masks`` if
    they are there; sets ``flip`` and ``flip_direction``.

    Args:
        prob (float | Sequence[float]): Probability of a flip, or of each direction,
            together at most 1.
        direction (str | Sequence[str]): ``'horizontal'``, ``'vertical'`` or
            ``'diagonal'``, or several, one of which is drawn.
    """

    @check_arguments
    def __init__(
        self,
        prob: Share | Sequence[Share] = 0.5,
        direction: str | Sequence[str] = 'horizontal',
    ) -> None:
        directions = [direction] if isinstance(direction, str) else list(direction)
        if not directions or not set(directions) <= set(DIRECTIONS):
            raise ConfigValueError(
                f'PoseRandomFlip: direction={direction!r} is unknown, use some of '
                f'{", ".join(map(repr, DIRECTIONS))}.'
            )
        if not isinstance(prob, Sequence):
            one_or_all = direction if isinstance(direction, str) else directions
            super().__init__(prob=float(prob), direction=one_or_all)
            return
        if len(prob) != len(directions) or sum(prob) > 1:
            raise ConfigValueError(
                f'PoseRandomFlip: prob={list(prob)} must be one number, or one for '
                f'each of direction={directions}, together at most 1.'
            )
        super().__init__(prob=[float(each) for each in prob], direction=directions)

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
