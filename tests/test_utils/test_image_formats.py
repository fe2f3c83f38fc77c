# Copyright (c) onestage_pose contributors.
"""Formats are told by their first bytes, and sizes by their headers."""

import io
import struct
import zlib

from onestage_pose.utils.errors import ImageError
from onestage_pose.utils.image_formats import check_image

import pytest
from PIL import Image

from tests.faults import fault_of


def encoded(kind: str, size: tuple[int, int] = (31, 17), **options) -> bytes:
    file = io.BytesIO()
    Image.new('RGB', size, (90, 120, 30)).save(file, kind, **options)
    return file.getvalue()


def large_png() -> bytes:
    """30,000 x 30,000 pixels in some bytes."""
    content = bytearray(encoded('PNG'))
    content[16:24] = struct.pack('>II', 30_000, 30_000)
    content[29:33] = struct.pack('>I', zlib.crc32(content[12:29]))
    return bytes(content)


IMAGES = {
    'JPEG': encoded('JPEG'),
    'progressive JPEG': encoded('JPEG', progressive=True, quality=40),
    'JPEG with a comment': encoded('JPEG', comment=b'\xff\xc0' * 50),
    'PNG': encoded('PNG'),
    'GIF': encoded('GIF'),
    'BMP': encoded('BMP'),
    'WebP': encoded('WEBP'),
    'WebP without loss': encoded('WEBP', lossless=True),
    'WebP of several parts': encoded('WEBP', exif=b'Exif\0\0MM\0*'),
    'TIFF': encoded('TIFF'),
    'TIFF, compressed': encoded('TIFF', compression='tiff_deflate'),
    'PPM': encoded('PPM'),
    'PPM with a note': b'P6 # a note\n31 17\n255\n' + bytes(31 * 17 * 3),
}


@pytest.mark.parametrize('content', IMAGES.values(), ids=IMAGES)
def test_size_is_read_off_the_header(content: bytes) -> None:
    check_image(content, 'a.jpg', max_pixels=31 * 17)

    with pytest.raises(ImageError, match='a.jpg.* 31 x 17 pixels'):
        check_image(content, 'a.jpg', max_pixels=31 * 17 - 1)


def test_large_image_is_named_with_its_size_and_the_option() -> None:
    with pytest.raises(ImageError, match='b.png.* 30000 x 30000 .*max_pixels'):
        check_image(large_png(), 'b.png')


def test_option_raises_the_limit() -> None:
    image = large_png()

    assert fault_of(check_image, image, 'b.png', max_pixels=10**9) is None


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(encoded('JPEG2000'), id='JPEG 2000'),
        pytest.param(b'\xff\x4f\xff\x51' + bytes(50), id='JPEG 2000 without a box'),
        pytest.param(b'v/1\x01' + bytes(50), id='OpenEXR'),
        pytest.param(b'#?RADIANCE\n' + bytes(50), id='Radiance'),
        pytest.param(b'\x59\xa6\x6a\x95' + bytes(50), id='Sun raster'),
        pytest.param(b'RIFF\0\0\0\0AVI ' + bytes(50), id='AVI'),
        pytest.param(b'text', id='text'),
        pytest.param(b'', id='nothing'),
    ],
)
def test_another_format_is_refused_whatever_its_name(content: bytes) -> None:
    with pytest.raises(ImageError, match='photo.jpg.*none of JPEG, PNG'):
        check_image(content, 'photo.jpg')


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'GIF', 'BMP', 'WebP', 'TIFF'])
def test_torn_header_is_named(kind: str) -> None:
    with pytest.raises(ImageError, match='torn.jpg.*ends within its header'):
        check_image(IMAGES[kind][: 20 if kind == 'WebP' else 9], 'torn.jpg')
