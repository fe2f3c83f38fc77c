# Copyright (c) onestage_pose contributors.
"""Read annotated keypoints as torchvision does."""

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from ...structures import continuous_to_pixel_index


@TRANSFORMS.register_module()
class KeypointsAsContinuous(BaseTransform):
    """Read annotated keypoints as continuous coordinates, not as pixel indices.

    torchvision trains in this way: a keypoint at 0 is on the border of the first pixel,
    not at its centre. Use it in training pipelines, before the image is resized or
    flipped, together with ``continuous_keypoints=True`` of the keypoint head, which
    then predicts in the convention of the annotations.

    Changes ``keypoints`` (N, K, 2), by half a pixel.
    """

    def transform(self, results: dict) -> dict:
        """Convert the keypoints to pixel indices.

        Args:
            results (dict): May hold ``keypoints`` (N, K, 2).

        Returns:
            dict: ``results``, changed.
        """
        if results.get('keypoints') is not None:
            results['keypoints'] = continuous_to_pixel_index(results['keypoints'])
        return results
