# Copyright (c) onestage_pose contributors.
"""Load an image, and name a broken one."""

import logging
from os import PathLike, fspath

import mmcv
import numpy as np
from mmengine import fileio
from mmengine.logging import print_log
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from ...structures import to_bgr_image
from ...utils.arguments import PositiveInt, check_arguments
from ...utils.errors import ImageError
from ...utils.image_formats import MAX_PIXELS, check_image

# Images of `keep_in_memory`, by path and by how they were decoded.
_DECODED: dict[tuple, np.ndarray] = {}


@TRANSFORMS.register_module()
class LoadPoseImage(LoadImage):
    """Load an image from ``img_path``, or use the array or image in ``img``.

    :func:`to_bgr_image` says what ``img`` may be and how its values are read; a path in
    it counts as ``img_path``. Sets ``img`` (h, w, 3) uint8 BGR (float32 with
    ``to_float32``), ``img_shape`` and ``ori_shape`` (h, w). A file is turned as its
    EXIF orientation says, unless ``color_type='color_ignore_orientation'``.

    An image is broken if it cannot be decoded, or if its size is not the ``width`` and
    ``height`` of its annotation (for example, the annotation of an image that is not
    turned by EXIF).

    Args:
        on_error (str): What to do about a broken or missing image. ``'raise'`` ends the
            run; ``'warn'`` logs it and, in training, uses another image instead. In
            testing it ends the run in any case, since the results would be incomplete.
        keep_in_memory (bool): Keep decoded images in each dataloader worker. For data
            sets of a few thousand images; an image of 640x480 takes 0.9 MB.
        to_float32 (bool): Convert the image to float32.
        color_type (str): As in :func:`mmcv.imfrombytes`.
        imdecode_backend (str): As in :func:`mmcv.imfrombytes`.
        backend_args (dict | None): As in :func:`mmengine.fileio.get`, for images in
            remote storage.
        max_pixels (int): Largest number of pixels that a file's header may state; a
            file of some kilobytes can state a size that fills the memory.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The image is broken, or ``img`` is no image.
    """

    @check_arguments
    def __init__(
        self,
        on_error: str = 'raise',
        keep_in_memory: bool = False,
        to_float32: bool = False,
        color_type: str = 'color',
        imdecode_backend: str = 'cv2',
        backend_args: dict | None = None,
        max_pixels: PositiveInt = MAX_PIXELS,
    ) -> None:
        if on_error not in ('raise', 'warn'):
            raise ValueError(
                f"LoadPoseImage got on_error={on_error!r}; it is 'raise' or 'warn'."
            )
        super().__init__(
            to_float32=to_float32,
            color_type=color_type,
            imdecode_backend=imdecode_backend,
            backend_args=backend_args,
        )
        self.on_error = on_error
        self.keep_in_memory = keep_in_memory
        self.max_pixels = max_pixels

    def transform(self, results: dict) -> dict | None:
        """Load the image.

        Args:
            results (dict): Holds ``img_path`` or ``img``, and ``width`` and ``height``
                where an annotation gives them.

        Returns:
            dict | None: ``results`` with the image; None for a broken image in training
            with ``on_error='warn'``.
        """
        try:
            return self._load(results)
        except (OSError, ValueError) as error:
            dataset = results.get('dataset')
            training = dataset is not None and not dataset.test_mode
            if self.on_error == 'raise' or not training:
                raise
            print_log(
                f'{error} Another image is used instead.',
                logger='current',
                level=logging.WARNING,
            )
            return None

    def _load(self, results: dict) -> dict:
        if isinstance(results.get('img'), (str, PathLike)):
            results['img_path'] = results.pop('img')
        if 'img' in results:
            results['img'] = to_bgr_image(results['img'])
            results = super().transform(results)
            if self.to_float32:
                results['img'] = results['img'].astype(np.float32)
            return results
        path = results.get('img_path')
        if isinstance(path, PathLike):
            path = results['img_path'] = fspath(path)
        key = path, self.color_type, self.imdecode_backend, self.to_float32
        try:
            if self.keep_in_memory and key in _DECODED:
                results['img'] = _DECODED[key].copy()
            else:
                results['img'] = self._decode(path)
            results = super().transform(results)
        except FileNotFoundError as error:
            raise FileNotFoundError(f'{path}: this image does not exist.') from error
        except ImageError:
            raise
        except Exception as error:
            # Each decoder fails in its own way (cv2 by None, Pillow by an exception).
            advice = 'copy it again, or convert it to an 8-bit PNG.'
            if results.get('dataset') is not None:
                advice = (
                    'copy it again, convert it to an 8-bit PNG, or remove it from '
                    'the annotations. In training, LoadPoseImage(on_error="warn") goes '
                    'on with another image.'
                )
            raise ValueError(
                f'{path}: this image cannot be decoded; {advice}'
            ) from error
        height, width = results['ori_shape']
        expected = results.get('width', width), results.get('height', height)
        if expected != (width, height):
            raise ValueError(
                f'{path}: this image is {width}x{height} pixels (width x height), '
                f'its annotation says {expected[0]}x{expected[1]}; was it resized, or '
                'annotated without regard to its EXIF orientation (then use '
                'LoadPoseImage(color_type="color_ignore_orientation"))?'
            )
        if self.keep_in_memory and key not in _DECODED:
            _DECODED[key] = results['img'].copy()
        return results

    def _decode(self, path: str) -> np.ndarray:
        content = fileio.get(path, backend_args=self.backend_args)
        check_image(content, path, self.max_pixels)
        image = mmcv.imfrombytes(
            content, flag=self.color_type, backend=self.imdecode_backend
        )
        if image is None:
            raise ValueError('the decoder gives nothing')
        return image.astype(np.float32) if self.to_float32 else image
