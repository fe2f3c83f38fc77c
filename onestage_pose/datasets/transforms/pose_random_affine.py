# Copyright (c) onestage_pose contributors.
"""Scale, rotate and crop an image with its boxes and keypoints."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from ...structures.coordinates import (
    continuous_to_pixel_index,
    pixel_index_to_continuous,
)
from ...utils.arguments import (
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    check_arguments,
)
from ...utils.deprecation import warn_deprecated

# What every instance has, kept or left out together.
INSTANCE_KEYS = (
    'id',
    'bbox',
    'bbox_score',
    'bbox_label',
    'keypoints',
    'keypoints_visible',
    'visibility_targets',
    'num_keypoints',
    'area',
    'iscrowd',
    'category_id',
)


@TRANSFORMS.register_module()
class PoseRandomAffine(BaseTransform):
    """Scale and rotate an image at random and crop a window of a fixed size.

    A scaled image that is smaller than the window is placed at random inside it; in a
    larger one, the window is placed over one of the people. mmpose's
    BottomupRandomAffine rotates the corners of boxes, which inflates them, and does not
    use edge coordinates.

    The new box of a rotated person is that of the rotated ellipse in the old box,
    extended to the labelled keypoints. Boxes are clipped to the window. People whose
    box is then smaller than ``min_visible`` or ``min_side`` are left out. Any part of a
    crowd region (``iscrowd`` 1) is kept, but the window is never placed by one.
    Keypoints outside the window become unlabelled, and absent in ``visibility_targets``
    if they were known to be present. Outside the image, the window is filled with
    ``pad_val``. An image that is scaled down is smoothed, as by Pillow.

    Changes ``img``, ``img_shape`` (h, w), ``bbox`` (N, 4), ``keypoints`` (N, K, 2),
    ``keypoints_visible`` (N, K), ``visibility_targets`` (N, K, 2), ``num_keypoints``,
    ``area`` and the other annotations of every person.

    Args:
        input_size (tuple[int, int]): Width and height of the window, in pixels.
        size_range (tuple[float, float]): Bounds of the new length of the image's longer
            side, or with ``scale_to='person'`` of the longer side of one person's box,
            in pixels of the window; drawn log-uniformly.
        scale_to (str): ``'image'``, or ``'person'`` for a window about one person.
        rotate (float): Largest angle, in degrees.
        rotate_prob (float): Probability of rotating.
        shift (float): With ``scale_to='person'``, largest distance of the person's
            centre from the window's, as a fraction of the box.
        min_visible (float): Smallest fraction of a box that must be inside the window.
        min_side (float): Smallest side of the clipped box, in pixels.
        pad_val (tuple[int, int, int]): Colour, BGR.

    Raises:
        ValueError: ``scale_to`` is unknown, or the annotations have masks.
    """

    SCALE_TO = ('image', 'person')

    @check_arguments
    def __init__(
        self,
        input_size: tuple[PositiveInt, PositiveInt],
        size_range: tuple[PositiveFloat, PositiveFloat],
        scale_to: str = 'image',
        rotate: NonNegativeFloat = 0.0,
        rotate_prob: Share = 1.0,
        shift: NonNegativeFloat = 0.1,
        min_visible: Share = 0.2,
        min_side: NonNegativeFloat = 4.0,
        pad_val: tuple[int, int, int] = (127, 127, 127),
    ) -> None:
        super().__init__()
        if scale_to == 'picture':
            warn_deprecated("scale_to='picture'", "scale_to='image'")
            scale_to = 'image'
        if scale_to not in self.SCALE_TO:
            raise ValueError(
                f'PoseRandomAffine: scale_to={scale_to!r} is unknown, use one of '
                f'{", ".join(map(repr, self.SCALE_TO))}.'
            )
        self.input_size = np.array(input_size)
        self.size_range = size_range
        self.scale_to = scale_to
        self.rotate = rotate
        self.rotate_prob = rotate_prob
        self.shift = shift
        self.min_visible = min_visible
        self.min_side = min_side
        self.pad_val = tuple(pad_val)

    def transform(self, results: dict) -> dict:
        """Scale, rotate and crop; see the class for the keys.

        Args:
            results (dict): Holds ``img`` (h, w, 3) and the people's annotations.

        Returns:
            dict: ``results``, changed.
        """
        if results.get('gt_masks') is not None:
            raise ValueError(
                'PoseRandomAffine does not carry masks along: leave LoadPoseMasks out '
                'of the pipeline.'
            )
        boxes = results['bbox']
        crowd = results.get('iscrowd', np.zeros(len(boxes))) > 0
        person = self._choose_person(int((~crowd).sum()))
        box = None if person is None else boxes[~crowd][person]
        matrix, center = self._draw(results['img'].shape[1::-1], box)
        results['img'] = self._warp(results['img'], matrix, center)
        width, height = self.input_size.tolist()
        results['img_shape'] = (height, width)
        self._move_people(results, matrix, center)
        return results

    @cache_randomness
    def _choose_person(self, num: int) -> int | None:
        return np.random.randint(num) if num else None

    @cache_randomness
    def _draw(
        self, size: tuple[int, int], box: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw the rotation and scale, and the point that comes to the window's centre.

        Args:
            size (tuple[int, int]): Width and height of the image.
            box (np.ndarray | None): (4,) of the person chosen, where there is one.

        Returns:
            tuple[np.ndarray, np.ndarray]: The (2, 2) matrix and the (2,) point of the
            image, in continuous coordinates.
        """
        size = np.array(size, np.float64)
        to_person = self.scale_to == 'person' and box is not None
        length = (box[2:] - box[:2]).max() if to_person else size.max()
        scale = np.exp(np.random.uniform(*np.log(self.size_range))) / length
        angle = 0.0
        if np.random.rand() < self.rotate_prob:
            angle = np.deg2rad(np.random.uniform(-self.rotate, self.rotate))
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix = np.array([[cos, -sin], [sin, cos]])

        if to_person:
            middle, extent = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
            center = middle + extent * np.random.uniform(-self.shift, self.shift, 2)
            return matrix, center
        reach = self.input_size / scale / 2
        # a smaller image may lie anywhere in the window
        center = np.random.uniform(
            np.minimum(size - reach, reach), np.maximum(size - reach, reach)
        )
        if box is not None:
            over = np.random.uniform(box[:2], box[2:])
            over = np.clip(over, np.minimum(reach, size - reach), size - reach)
            center = np.where(size > 2 * reach, over, center)
        return matrix, center

    def _warp(
        self, img: np.ndarray, matrix: np.ndarray, center: np.ndarray
    ) -> np.ndarray:
        scale = np.sqrt(np.linalg.det(matrix))
        if scale < 1:
            height, width = img.shape[:2]
            small = max(1, round(width * scale)), max(1, round(height * scale))
            img = cv2.resize(img, small, interpolation=cv2.INTER_AREA)
            factor = np.array(small) / (width, height)
            matrix, center = matrix / factor, center * factor
        # OpenCV takes pixel indices: where the centre of the first pixel goes
        first = pixel_index_to_continuous(np.zeros(2))
        offset = continuous_to_pixel_index(
            matrix @ (first - center) + self.input_size / 2
        )
        return cv2.warpAffine(
            img,
            np.column_stack((matrix, offset)),
            tuple(self.input_size.tolist()),
            flags=cv2.INTER_LINEAR,
            borderValue=self.pad_val,
        )

    def _move_people(
        self, results: dict, matrix: np.ndarray, center: np.ndarray
    ) -> None:
        offset = self.input_size / 2 - matrix @ center
        points = pixel_index_to_continuous(results['keypoints']) @ matrix.T + offset
        visible = results['keypoints_visible']
        boxes = results['bbox'].astype(np.float64)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix.T + offset
        half = (boxes[:, 2:] - boxes[:, :2]) / 2
        half = np.sqrt(half**2 @ (matrix**2).T)
        near, far = middle - half, middle + half
        if matrix[0, 1]:
            labelled = visible[..., None] > 0
            near = np.minimum(near, np.where(labelled, points, np.inf).min(1))
            far = np.maximum(far, np.where(labelled, points, -np.inf).max(1))

        whole = (far - near).prod(1)
        near = np.clip(near, 0, self.input_size)
        far = np.clip(far, 0, self.input_size)
        left = far - near
        keep = left.prod(1) >= self.min_visible * whole
        keep &= left.min(1) >= self.min_side
        keep |= (results.get('iscrowd', np.zeros(len(boxes))) > 0) & (left.min(1) > 0)

        inside = ((points >= 0) & (points < self.input_size)).all(-1)
        visible = np.where(inside, visible, 0)
        results['bbox'] = np.concatenate((near, far), 1).astype(np.float32)
        results['keypoints'] = continuous_to_pixel_index(points).astype(np.float32)
        results['keypoints_visible'] = visible.astype(np.float32)
        results['num_keypoints'] = (visible > 0).sum(1)
        if 'visibility_targets' in results:
            targets = results['visibility_targets']
            gone = (targets[..., 0] > 0) & ~inside
            results['visibility_targets'] = np.where(
                gone[..., None], np.array([0, -1], targets.dtype), targets
            )
        if 'area' in results:
            results['area'] = results['area'] * np.float32(np.linalg.det(matrix))
        for key in INSTANCE_KEYS:
            if isinstance(results.get(key), np.ndarray):
                results[key] = results[key][keep]
            elif key in results:
                results[key] = [value for value, k in zip(results[key], keep) if k]
