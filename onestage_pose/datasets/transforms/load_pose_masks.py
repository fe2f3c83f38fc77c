# Copyright (c) onestage_pose contributors.
"""Draw the outlines of people as masks."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.structures.mask import BitmapMasks
from mmpose.registry import TRANSFORMS
from pycocotools import mask as mask_utils

from ...structures.coco_records import FARTHEST, quote
from ...utils.errors import AnnotationError, ConfigValueError


@TRANSFORMS.register_module()
class LoadPoseMasks(BaseTransform):
    """Turn ``segmentation`` into ``gt_masks``, to train mmdet's mask branch.

    Place it after :class:`LoadPoseImage`; the dataset needs ``with_segmentation=True``.
    Sets ``gt_masks``, mmdet's BitmapMasks of N masks of the image's size, uint8 with 1
    inside. Outlines are polygons or run lengths, as in COCO; a single polygon may stand
    without the list around it.

    Raises:
        ConfigValueError: The dataset keeps no outlines.
        AnnotationError: A person has no outline, a polygon has fewer than three points
            or values that are not numbers, or run lengths have another size than the
            image.
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
            raise ConfigValueError(
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
            raise AnnotationError(
                f'{results["img_path"]}: annotations id={without} have no '
                '"segmentation"; add their outlines, or train without LoadPoseMasks.'
            )
        masks = []
        for id_, outline in zip(results['id'], results['segmentation']):
            try:
                masks.append(_draw(outline, height, width))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise AnnotationError(
                    f'{results["img_path"]}: annotation id={id_} has segmentation='
                    f'{quote(outline)}: {error}; correct it, or train without '
                    'LoadPoseMasks.'
                ) from error
        results['gt_masks'] = BitmapMasks(masks, height, width)
        return results


def _draw(outline: list | dict, height: int, width: int) -> np.ndarray:
    """Return the (height, width) uint8 mask of one person.

    Raises:
        ValueError: The outline is none of COCO's; says what is wrong.
    """
    if isinstance(outline, list):
        polygons = [_read_polygon(one) for one in _as_polygons(outline)]
        runs = mask_utils.merge(mask_utils.frPyObjects(polygons, height, width))
    elif isinstance(outline, dict):
        runs = _read_runs(outline, height, width)
    else:
        raise TypeError(f'a {type(outline).__name__} is not an outline')
    return mask_utils.decode(runs)


def _as_polygons(outline: list) -> list:
    # pycocotools takes a list of four numbers for a box, and others for errors
    return outline if isinstance(outline[0], list) else [outline]


def _read_polygon(points: object) -> list[float]:
    if not isinstance(points, list) or len(points) % 2 or len(points) < 6:
        raise ValueError('a polygon is a list of x, y of at least three points')
    for value in points:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not abs(value) <= FARTHEST:
            raise ValueError(f'{quote(value)} is not a position in an image')
    return points


def _read_runs(outline: dict, height: int, width: int) -> dict:
    size, counts = outline.get('size'), outline.get('counts')
    if list(size or ()) != [height, width]:
        raise ValueError(
            f'run lengths of size (height, width) {quote(size)} in an image of '
            f'{height}x{width}'
        )
    if isinstance(counts, list):
        are_counts = all(type(count) is int and count >= 0 for count in counts)
        if not are_counts or sum(counts) != height * width:
            raise ValueError(
                'counts must be whole numbers from 0 on, and their sum the '
                f'{height * width} pixels of the image'
            )
        return mask_utils.frPyObjects(outline, height, width)
    if not isinstance(counts, (str, bytes)) or not counts:
        raise ValueError('run lengths have counts, a list or a text')
    total = sum(_lengths(counts.encode() if isinstance(counts, str) else counts))
    if total != height * width:
        raise ValueError(
            f'its run lengths are of {total} pixels, the image has {height * width}'
        )
    return outline


def _lengths(text: bytes) -> list[int]:
    """Read the run lengths of COCO's compressed form.

    pycocotools trusts them, and would write beyond the mask.
    """
    lengths: list[int] = []
    number = shift = 0
    for byte in text:
        digit = byte - 48
        if not 0 <= digit < 64:
            raise ValueError(f'{chr(byte)!r} is not a character of run lengths')
        number |= (digit & 0x1F) << shift
        shift += 5
        if digit & 0x20:
            continue
        if digit & 0x10:
            number -= 1 << shift
        if len(lengths) > 2:
            number += lengths[-2]
        if number < 0:
            raise ValueError('a run length is negative')
        lengths.append(number)
        number = shift = 0
    if shift:
        raise ValueError('the run lengths end too early')
    return lengths
