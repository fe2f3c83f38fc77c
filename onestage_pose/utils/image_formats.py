# Copyright (c) onestage_pose contributors.
"""Tell images that are decoded here from others, by their first bytes.

A file's name says nothing of the decoder that it reaches: OpenCV goes by the content,
and has decoders for formats that hardly anybody uses and few have looked at. And a file
of some kilobytes may state a size that fills the memory.
"""

from __future__ import annotations

import re
import struct

from .errors import ImageError

#: Most pixels of an image; the largest photographs have 200 million.
MAX_PIXELS = 200_000_000
#: What is decoded.
FORMATS = 'JPEG, PNG, GIF, BMP, WebP, TIFF and PNM'

# Markers of JPEG that stand alone, and those of a frame's header.
_JPEG_ALONE = {0x01, *range(0xD0, 0xD9)}
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PNM = re.compile(rb'P[1-6](?:\s+|#[^\n]*\n)+(\d{1,9})(?:\s+|#[^\n]*\n)+(\d{1,9})\s')


def check_image(
    content: bytes,
    name: str,
    max_pixels: int = MAX_PIXELS,
    option: str = 'max_pixels of LoadPoseImage, see docs/reference/model_options.md',
) -> None:
    """Raise unless an encoded image is of a known format and of a size to be decoded.

    Args:
        content (bytes): The file.
        name (str): Its path, for messages.
        max_pixels (int): Most pixels that it may state.
        option (str): What raises the limit, for messages.

    Raises:
        ImageError: It is of another format, or its header is torn or states more.
    """
    try:
        size = _read_size(content)
    except (struct.error, IndexError, ValueError) as error:
        raise ImageError(
            f'{name}: this image cannot be decoded: it ends within its header; replace '
            'the file.'
        ) from error
    if size is None:
        raise ImageError(
            f'{name}: this image cannot be decoded: by its first bytes it is none of '
            f'{FORMATS}; replace the file, or convert it to PNG.'
        )
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f'{name}: this image cannot be decoded: it states {width} x {height} '
            f'pixels, over the limit of {max_pixels:,}. For an image that is so large '
            f'raise the limit ({option}), or make it smaller.'
        )


def _read_size(content: bytes) -> tuple[int, int] | None:
    """Return the width and height that a header states; None for another format."""
    if content.startswith(b'\xff\xd8\xff'):
        return _read_jpeg(content)
    if content.startswith(b'\x89PNG\r\n\x1a\n'):
        return struct.unpack('>II', content[16:24])
    if content.startswith((b'GIF87a', b'GIF89a')):
        return struct.unpack('<HH', content[6:10])
    if content.startswith(b'BM'):
        is_old = struct.unpack('<I', content[14:18]) == (12,)
        form, end = ('<HH', 22) if is_old else ('<ii', 26)
        width, height = struct.unpack(form, content[18:end])
        return abs(width), abs(height)
    if content.startswith(b'RIFF') and content[8:12] == b'WEBP':
        return _read_webp(content)
    if content.startswith((b'II*\0', b'MM\0*')):
        return _read_tiff(content)
    match = _PNM.match(content)
    return (int(match[1]), int(match[2])) if match else None


def _read_jpeg(content: bytes) -> tuple[int, int]:
    place = 2
    while True:
        # anything between two segments, as decoders do
        place = content.index(b'\xff', place)
        while content[place] == 0xFF:
            place += 1
        marker, place = content[place], place + 1
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack('>HH', content[place + 3 : place + 7])
            return width, height
        if marker not in _JPEG_ALONE:
            (length,) = struct.unpack('>H', content[place : place + 2])
            place += max(length, 2)


def _read_webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b'VP8 ':
        width, height = struct.unpack('<HH', content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b'VP8L':
        (bits,) = struct.unpack('<I', content[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b'VP8X':
        low, width, high, height = struct.unpack('<HBHB', content[24:30])
        return (low | width << 16) + 1, (high | height << 16) + 1
    return None


def _read_tiff(content: bytes) -> tuple[int, int]:
    """Read the largest width and height of a file's first image."""
    order = '<' if content.startswith(b'II') else '>'
    (start,) = struct.unpack(f'{order}I', content[4:8])
    (count,) = struct.unpack(f'{order}H', content[start : start + 2])
    sizes = {256: 0, 257: 0}
    for number in range(count):
        place = start + 2 + 12 * number
        tag, kind = struct.unpack(f'{order}HH', content[place : place + 4])
        form, end = ('H', 10) if kind == 3 else ('I', 12)
        (value,) = struct.unpack(f'{order}{form}', content[place + 8 : place + end])
        if tag in sizes:
            sizes[tag] = max(sizes[tag], value)
    return sizes[256], sizes[257]
