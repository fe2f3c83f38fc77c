# Copyright (c) onestage_pose contributors.
"""Estimate the box of a person of whom only the joints of the limbs are labelled."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from ...structures.coordinates import pixel_index_to_continuous
from ...utils.arguments import NonNegativeFloat, check_arguments

SHOULDERS, HIPS = [5, 6], [11, 12]


@TRANSFORMS.register_module()
class BoxesFromKeypoints(BaseTransform):
    """Replace boxes of the joints by boxes of the whole person.

    COCO's boxes contain the whole person, with head, hands and feet. The top of the
    head is estimated at ``head`` times the length of the trunk above the shoulders, in
    the direction of the trunk. The new box contains it and every labelled keypoint,
    with ``margin`` on each side. People whose trunk is not labelled get the margin
    alone.

    Changes ``bbox`` (N, 4), within the image.

    Args:
        head (float): Distance between shoulders and the top of the head, in trunks.
        margin (float): Margin on every side, as a fraction of the longer side.
    """

    @check_arguments
    def __init__(self, head: float = 0.7, margin: NonNegativeFloat = 0.07) -> None:
        super().__init__()
        self.head = head
        self.margin = margin

    def transform(self, results: dict) -> dict:
        """Replace the boxes; see the class for the keys.

        Args:
            results (dict): Holds COCO's 17 ``keypoints`` (N, 17, 2),
                ``keypoints_visible`` (N, 17), ``bbox`` (N, 4) and ``img_shape`` (h, w).
                People whose labelled keypoints have no extent keep their box.

        Returns:
            dict: ``results``, changed.
        """
        points = pixel_index_to_continuous(results['keypoints'])
        labelled = results['keypoints_visible'] > 0
        shoulders = points[:, SHOULDERS].mean(1)
        trunk = shoulders - points[:, HIPS].mean(1)
        top = shoulders + self.head * trunk
        has_trunk = labelled[:, SHOULDERS + HIPS].all(1)
        points = np.concatenate((points, top[:, None]), 1)
        known = np.column_stack((labelled, has_trunk))[..., None]
        near = np.where(known, points, np.inf).min(1)
        far = np.where(known, points, -np.inf).max(1)
        margin = self.margin * (far - near).max(1, keepdims=True).clip(min=0)
        height, width = results['img_shape']
        boxes = np.concatenate((near - margin, far + margin), 1)
        boxes = np.clip(boxes, 0, (width, height, width, height))
        has_extent = (boxes[:, 2:] > boxes[:, :2]).all(1, keepdims=True)
        results['bbox'] = np.where(has_extent, boxes, results['bbox']).astype(
            np.float32
        )
        return results
