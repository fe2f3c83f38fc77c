# Copyright (c) onestage_pose contributors.
"""Read annotated keypoints as torchvision does."""

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from ...structures import continuous_to_pixel_index


@TRANSFORMS.register_module()
class KeypointsAsContinuous(BaseTransform):
    """Take annotated keypoints for continuous coordinates, and not for pixel indices.

    torchvision trains so: a keypoint at 0 is on the border of the first pixel and not
    in its centre. For training pipelines, before the image is resized or flipped; the
    keypoint head has ``continuous_keypoints=True``, and predicts what was annotated.

    Changes ``keypoints`` (N, K, 2), by half a pixel.
    """

    def transform(self, results: dict) -> dict:
        """Move the keypoints to where their pixel indices are.

        Args:
            results (dict): May hold ``keypoints`` (N, K, 2).

        Returns:
            dict: ``results``, changed.
        """
        if results.get('keypoints') is not None:
            results['keypoints'] = continuous_to_pixel_index(results['keypoints'])
        return results
