# Copyright (c) onestage_pose contributors.
"""Resize an image with its boxes, keypoints and masks."""

from typing import Literal

import mmcv
import numpy as np
from mmcv.image.geometric import cv2_interp_codes, pillow_interp_codes
from mmcv.transforms import Resize
from mmpose.registry import TRANSFORMS
from PIL import Image

from ...structures.coordinates import resize_pixel_index
from ...utils.arguments import (
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    check_arguments,
)
from ...utils.errors import ConfigValueError


@TRANSFORMS.register_module()
class PoseResize(Resize):
    """Resize the image and its annotations.

    With ``keep_ratio`` the new size is Detectron2's ResizeShortestEdge: the shorter
    side becomes ``min(scale)`` unless the longer would exceed ``max(scale)``; each side
    is rounded by itself, so the two scale factors differ a little. If s is the factor
    of an axis, boxes (edge coordinates) become x * s and keypoints (centre of the
    top-left pixel at 0, 0) become (x + 0.5) * s - 0.5.

    Changes ``img``, ``img_shape`` (h, w), ``bbox`` (N, 4), ``keypoints`` (N, K, 2) and
    ``gt_masks`` where they are there; sets ``scale``, ``scale_factor`` (w, h),
    ``keep_ratio`` and ``annotations_resized``.

    Args:
        scale (int | tuple[int, int] | None): (longer, shorter) with ``keep_ratio``,
            else (w, h), in pixels.
        scale_factor (float | tuple[float, float] | None): Factor, or factors of (w, h),
            instead of ``scale``.
        keep_ratio (bool): Keep the image's proportions.
        clip_object_border (bool): Clip boxes to the image.
        backend (str): ``'pillow'`` smooths while it shrinks, as Detectron2 does;
            ``'cv2'`` is faster and does not smooth.
        interpolation (str): As in :func:`mmcv.imresize`.
        image_only (bool): Leave the annotations in the frame of the original image. For
            test pipelines: ``gt_instances`` then compare to what the model predicts.
        round_down (bool): With ``keep_ratio``, round the sides down to whole pixels, as
            torchvision does.
    """

    @check_arguments
    def __init__(
        self,
        # mmcv's choice of scales builds it with 0, and sets each scale later
        scale: NonNegativeInt | tuple[PositiveInt, PositiveInt] | None = None,
        scale_factor: PositiveFloat | tuple[PositiveFloat, PositiveFloat] | None = None,
        keep_ratio: bool = False,
        clip_object_border: bool = True,
        backend: Literal['cv2', 'pillow'] = 'cv2',
        interpolation: str = 'bilinear',
        image_only: bool = False,
        round_down: bool = False,
    ) -> None:
        known = {'cv2': cv2_interp_codes, 'pillow': pillow_interp_codes}[backend]
        if interpolation not in known:
            raise ConfigValueError(
                f'PoseResize: interpolation={interpolation!r} is unknown for backend='
                f'{backend!r}, use one of {", ".join(map(repr, known))}.'
            )
        super().__init__(
            scale=scale,
            scale_factor=scale_factor,
            keep_ratio=keep_ratio,
            clip_object_border=clip_object_border,
            backend=backend,
            interpolation=interpolation,
        )
        self.image_only = image_only
        self.round_down = round_down

    def transform(self, results: dict) -> dict:
        """Resize; see the class for the keys.

        Args:
            results (dict): Holds ``img`` (h, w, 3), uint8 or float32.

        Returns:
            dict: ``results``, changed.
        """
        results = super().transform(results)
        if results.get('gt_masks') is not None and not self.image_only:
            results['gt_masks'] = results['gt_masks'].resize(results['img_shape'])
        results['annotations_resized'] = not self.image_only
        return results

    def _resize_img(self, results: dict) -> None:
        height, width = results['img'].shape[:2]
        new_width, new_height = results['scale']
        if self.scale is None:
            # mmcv's size has been rounded, to 0 of a narrow image.
            factors = np.broadcast_to(self.scale_factor, 2)
            new_width, new_height = (
                max(1, int(side * factor + 0.5))
                for side, factor in zip((width, height), factors.tolist())
            )
        elif self.keep_ratio:
            size_of = torchvision_size if self.round_down else shortest_edge_size
            new_width, new_height = size_of(width, height, results['scale'])
        results['img'] = self._resize_array(results['img'], (new_width, new_height))
        results['img_shape'] = (new_height, new_width)
        results['scale_factor'] = (new_width / width, new_height / height)
        results['keep_ratio'] = self.keep_ratio

    def _resize_array(self, img: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        if self.backend == 'pillow' and img.dtype != np.uint8:
            # Pillow takes float images one channel at a time.
            code = mmcv.image.geometric.pillow_interp_codes[self.interpolation]
            planes = [
                Image.fromarray(np.ascontiguousarray(plane, np.float32))
                for plane in img.transpose(2, 0, 1)
            ]
            return np.stack([np.asarray(p.resize(size, code)) for p in planes], axis=-1)
        return mmcv.imresize(
            img, size, interpolation=self.interpolation, backend=self.backend
        )

    def _resize_bboxes(self, results: dict) -> None:
        if results.get('bbox') is None or self.image_only:
            return
        bbox = results['bbox'] * np.tile(results['scale_factor'], 2)
        if self.clip_object_border:
            height, width = results['img_shape']
            bbox = np.clip(bbox, 0, (width, height, width, height))
        results['bbox'] = bbox.astype(np.float32)

    def _resize_keypoints(self, results: dict) -> None:
        if results.get('keypoints') is None or self.image_only:
            return
        scale_factor = np.asarray(results['scale_factor'])
        keypoints = resize_pixel_index(results['keypoints'], scale_factor)
        results['keypoints'] = keypoints.astype(np.float32)


def shortest_edge_size(
    width: int, height: int, scale: tuple[int, int]
) -> tuple[int, int]:
    """Return the new size that Detectron2's ResizeShortestEdge would.

    Args:
        width (int): Of the image, in pixels.
        height (int): Of the image, in pixels.
        scale (tuple[int, int]): The bounds of the longer and of the shorter side, in
            any order.

    Returns:
        tuple[int, int]: (width, height) in pixels.
    """
    factor = min(scale) / min(width, height)
    new = [factor * width, factor * height]
    if max(new) > max(scale):
        factor = max(scale) / max(new)
        new = [factor * side for side in new]
    return max(1, int(new[0] + 0.5)), max(1, int(new[1] + 0.5))


def torchvision_size(
    width: int, height: int, scale: tuple[int, int]
) -> tuple[int, int]:
    """Return the new size that torchvision's ``GeneralizedRCNNTransform`` would.

    Args:
        width (int): Of the image, in pixels.
        height (int): Of the image, in pixels.
        scale (tuple[int, int]): The bounds of the longer and of the shorter side, in
            any order.

    Returns:
        tuple[int, int]: (width, height) in pixels.
    """
    # In its order: a side may come out at 799.99..., and is 799 then.
    factor = min(min(scale) / min(width, height), max(scale) / max(width, height))
    return max(1, int(width * factor)), max(1, int(height * factor))
