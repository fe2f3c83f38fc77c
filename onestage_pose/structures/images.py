# Copyright (c) onestage_pose contributors.
"""One form for every image that a program hands over: (h, w, 3) uint8, BGR."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps

from ..utils.errors import ImageError
from ..utils.image_formats import MAX_PIXELS

# Whose values are one number a pixel, of more than 8 bits.
_DEEP_GREY = ('I;16', 'I;16B', 'I;16L', 'I;16N', 'I', 'F')
# An image with nothing over a sixteenth of its range is nearly black. Where one is not
# meant to be, its values are of another range: of 12 bits in 16, say.
_NEARLY_BLACK_16 = 2**12
_NEARLY_BLACK_8 = 16


def to_bgr_image(
    image: np.ndarray | Image.Image | torch.Tensor, rgb: bool = False
) -> np.ndarray:
    """Convert an array, a PIL image or a tensor to the form that the models use.

    Dtype and values decide how they are read, and must leave no doubt:

    - uint8 as it is; booleans are 0 and 255;
    - uint16 uses its whole range, as a 16-bit PNG does: the upper 8 bits are taken;
    - other integers, and floats that are whole numbers: 0 to 255;
    - floats with fractions: 0 to 1 or 0 to 255, by their largest value.

    A PIL image is turned as its EXIF orientation says; grey counts as three equal
    channels, transparency is left out.

    Args:
        image (np.ndarray | Image.Image | Tensor): An array (h, w, 3), BGR as from
            OpenCV; a PIL image of any mode; or a tensor (3, h, w), RGB as from
            torchvision, on any device.
        rgb (bool): An array is RGB. PIL images and tensors always are.

    Returns:
        np.ndarray: (h, w, 3) uint8 BGR, contiguous; ``image`` itself if it is one.

    Raises:
        ImageError: The type, shape or dtype is another; there are NaN or infinite
            values; or the range of the values is ambiguous, as for a standardised
            image. The message says what is expected.
    """
    if isinstance(image, Image.Image):
        pixels, rgb = _from_pillow(image), True
    elif isinstance(image, torch.Tensor):
        pixels, rgb = _from_tensor(image), True
    else:
        pixels = image
    if not (
        isinstance(pixels, np.ndarray)
        and pixels.ndim == 3
        and pixels.shape[2] == 3
        and pixels.size > 0
    ):
        found = pixels.shape if isinstance(pixels, np.ndarray) else type(image).__name__
        raise ImageError(
            'An image given as an array must be (height, width, 3), BGR; got '
            f'{found}.{_advice(pixels)}'
        )
    pixels = _to_8_bits(pixels)
    return np.ascontiguousarray(pixels[..., ::-1] if rgb else pixels)


def _from_pillow(image: Image.Image) -> np.ndarray:
    name = getattr(image, 'filename', '') or 'A PIL image'
    # its tiles are those that are not decoded yet
    if getattr(image, 'tile', None) and image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f'{name}: this image states {image.width} x {image.height} pixels, over '
            f'the limit of {MAX_PIXELS:,}. If that is what it has, decode it first: '
            'image.load().'
        )
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise ImageError(f'{name}: this image cannot be decoded ({error}).') from error
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP_GREY:
        # Pillow's own conversion cuts their values off at 255.
        return np.repeat(np.asarray(image)[..., None], 3, axis=2)
    return np.asarray(image.convert('RGB'))


def _from_tensor(image: torch.Tensor) -> np.ndarray:
    if image.ndim != 3 or image.shape[0] != 3:
        advice = ''
        if image.ndim == 4:
            advice = ' Give the images of a batch one by one: list(batch).'
        elif image.ndim == 3 and image.shape[2] == 3:
            advice = ' image.permute(2, 0, 1) puts the channels first.'
        raise ImageError(
            'An image given as a tensor must be (3, height, width), RGB; got '
            f'{tuple(image.shape)}.{advice}'
        )
    try:
        image = image.detach().cpu()
        if image.is_floating_point():
            # numpy has no bfloat16
            image = image.to(torch.promote_types(image.dtype, torch.float32))
        return image.permute(1, 2, 0).numpy()
    except (NotImplementedError, RuntimeError, TypeError) as error:
        raise ImageError(
            f'An image given as a tensor must hold plain numbers; this one is '
            f'{image.dtype}, {image.layout}, on {image.device}.'
        ) from error


def _advice(pixels: object) -> str:
    if not isinstance(pixels, np.ndarray):
        return ''
    if not pixels.size:
        return ' It has no pixels.'
    if pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 1):
        return ' cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) gives a grey one 3 channels.'
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return ' image[..., :3] leaves out transparency.'
    if pixels.ndim == 3 and pixels.shape[0] == 3:
        return ' image.transpose(1, 2, 0) puts the channels last.'
    if pixels.ndim == 4:
        return ' Give the images of a batch one by one: list(batch).'
    return ''


def _to_8_bits(pixels: np.ndarray) -> np.ndarray:
    dtype = pixels.dtype
    if dtype == np.uint8:
        return pixels
    if dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if dtype.kind not in 'iuf':
        raise ImageError(
            f'An image given as an array must hold numbers (uint8 from 0 to 255); got '
            f'dtype {dtype}.'
        )
    low, high = pixels.min(), pixels.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError('An image given as an array holds NaN or infinity.')
    if dtype == np.uint16 and (high == 0 or high >= _NEARLY_BLACK_16):
        return (pixels >> 8).astype(np.uint8)
    if dtype == np.uint16:
        raise _doubt(
            pixels,
            'uint16 means 0 to 65535; scale it by the bits that are used, such as '
            '(image >> 4).astype(np.uint8) for 12 bits, or image.astype(np.uint8) for '
            '8.',
        )
    if low < 0 or high > 255:
        raise _doubt(
            pixels,
            'give it as it was before it was standardised or resampled, or '
            'np.clip(image, 0, 255) where the rest is noise.',
        )
    whole = dtype.kind != 'f' or (pixels == np.rint(pixels)).all()
    if whole and high == 1:
        raise _doubt(pixels, 'of 0 and 1 alone, image.astype(bool) is black and white.')
    if whole:
        return pixels.astype(np.uint8)
    if high <= 1:
        return np.rint(pixels.astype(np.float32) * 255).astype(np.uint8)
    if high < _NEARLY_BLACK_8:
        raise _doubt(pixels, 'scale it to 0 to 1, or to 0 to 255.')
    return np.rint(pixels).astype(np.uint8)


def _doubt(pixels: np.ndarray, advice: str) -> ImageError:
    return ImageError(
        'An image given as an array must hold uint8 or whole numbers from 0 to 255, '
        'floats from 0 to 1 or 0 to 255, uint16 from 0 to 65535, or booleans; got '
        f'{pixels.dtype} from {pixels.min():.6g} to {pixels.max():.6g}: {advice}'
    )
