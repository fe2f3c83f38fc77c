# Copyright (c) onestage_pose contributors.
"""Draw the outlines of people as masks."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.structures.mask import BitmapMasks
from mmpose.registry import TRANSFORMS
from pycocotools import mask as mask_utils


@TRANSFORMS.register_module()
class LoadPoseMasks(BaseTransform):
    """Turn ``segmentation`` into ``gt_masks``, to train mmdet's mask branch too.

    Stands behind :class:`LoadPoseImage`; the dataset needs
    ``with_segmentation=True``. Sets ``gt_masks``, mmdet's BitmapMasks of N masks of
    the image's size, uint8 with 1 inside. Outlines are polygons or run lengths, as
    in COCO.

    Raises:
        ValueError: The dataset keeps no outlines, or a person has none.
    """

    def transform(self, results: dict) -> dict:
        """Draw the masks.

        Args:
            results (dict): Holds ``segmentation``, ``img_shape`` (h, w), ``id``,
                ``img_path``.

        Returns:
            dict: ``results`` with ``gt_masks``.
        """
        if 'segmentation' not in results:
            raise ValueError(
                'LoadPoseMasks found no outlines: set with_segmentation=True of the '
                'dataset in the config.'
            )
        height, width = results['img_shape']
        without = [
            id_
            for id_, outline in zip(results['id'], results['segmentation'])
            if not outline
        ]
        if without:
            raise ValueError(
                f'{results["img_path"]}: annotations id={without} have no '
                '"segmentation"; add their outlines, or train without LoadPoseMasks.'
            )
        masks = [_draw(outline, height, width) for outline in results['segmentation']]
        results['gt_masks'] = BitmapMasks(masks, height, width)
        return results


def _draw(outline: list | dict, height: int, width: int) -> np.ndarray:
    """Return the (height, width) uint8 mask of one person."""
    if isinstance(outline, list):
        outline = mask_utils.merge(mask_utils.frPyObjects(outline, height, width))
    elif isinstance(outline['counts'], list):
        outline = mask_utils.frPyObjects(outline, height, width)
    return mask_utils.decode(outline)
