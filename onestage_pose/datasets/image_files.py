# Copyright (c) onestage_pose contributors.
"""Look at image files without decoding them, and for those that were meant."""

import os
import os.path as osp
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from PIL import Image

from ..utils.suggestions import find_similar

#: EXIF's number of the orientation, and the orientations that exchange the sides.
_ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)


def read_header(path: str) -> tuple[tuple[int, int], int] | None:
    """Read an image's size and orientation without decoding it.

    Args:
        path (str): Of the file.

    Returns:
        tuple[tuple[int, int], int] | None: (width, height) as it is stored, and EXIF's
        orientation, 1 to 8, of which :data:`TURNED` exchange the sides; None where the
        file cannot be read.
    """
    try:
        with Image.open(path) as image:
            orientation = image.getexif().get(_ORIENTATION)
            return image.size, orientation if orientation in range(1, 9) else 1
    except Exception:
        # What is wrong with it is said where it is decoded.
        return None


def read_sizes(path: str) -> list[tuple[int, int]]:
    """Read from an image's header which sizes its annotation may give.

    Args:
        path (str): Of the file.

    Returns:
        list[tuple[int, int]]: (width, height) as EXIF turns the image, and as it is
        stored; empty where the file cannot be read.
    """
    header = read_header(path)
    if header is None:
        return []
    (width, height), orientation = header
    sizes = [(width, height)]
    return [(height, width), *sizes] if orientation in TURNED else sizes


def find_meant(path: str) -> str | None:
    """Find the file that a path means which another program has written.

    Tried are separators of Windows, ``%20`` and the like of addresses, the other form
    of accents, the folder's name twice, the folder left out, and other cases; then
    similar names. A guess, for messages.

    Args:
        path (str): Of a file that does not exist.

    Returns:
        str | None: One that does.
    """
    for candidate in (*spellings(path), *_shorter(path)):
        leads_out = osp.pardir in candidate.split('/')
        if candidate != path and not leads_out and osp.isfile(candidate):
            return candidate
    folder, name = osp.split(path)
    if not osp.isdir(folder or '.'):
        return None
    present = os.listdir(folder or '.')
    same = [other for other in present if other.casefold() == name.casefold()]
    found = same or find_similar(name, present, number=1, likeness=0.8)
    return osp.join(folder, found[0]) if found else None


def spellings(path: str) -> Iterator[str]:
    """Yield how programs write the same path, the path itself first.

    With separators of Windows, with ``%20`` and the like of addresses, with ``+`` for a
    blank, and with accents in either form of Unicode.
    """
    slashed = path.replace('\\', '/')
    for one in (path, slashed):
        for two in (one, unquote(one), one.replace('+', ' ')):
            yield two
            for form in ('NFC', 'NFD'):
                yield unicodedata.normalize(form, two)


def _shorter(path: str) -> Iterator[str]:
    plain = unquote(path.replace('\\', '/'))
    # 'images/a.jpg' in the folder images; or a path on the machine that wrote it
    parts = plain.split('/')
    for start in range(1, len(parts)):
        for gone in range(1, len(parts) - start):
            yield '/'.join(parts[:start] + parts[start + gone :])
