# Copyright (c) onestage_pose contributors.
"""Find the images of a source, and bring its coordinates into their frame."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..datasets.image_files import TURNED, read_header, spellings
from .labels import Keypoint, LabelledImage, LabelledObject, Remarks

# Pixels by which a coordinate may lie beyond its image and count as in it.
_SLACK = 1.0
# How far the ratio of the sides may be off where only the scale differs.
_RATIO = 0.01


def find_image(names: Iterable[str], folders: Sequence[Path]) -> Path | None:
    """Find an image by the names that a program gives it.

    Args:
        names (Iterable[str]): Paths, the likeliest first.
        folders (Sequence[Path]): Where they may start. After all of them the bare file
            names are tried.

    Returns:
        Path | None: An absolute path of a file.
    """
    names = list(names)
    bare = [name.replace('\\', '/').rsplit('/', 1)[-1] for name in names]
    for name in (*names, *bare):
        for folder in folders:
            for spelling in dict.fromkeys(spellings(name)):
                path = osp.join(folder, spelling)
                if spelling and '\0' not in path and osp.isfile(path):
                    return Path(osp.abspath(path))
    return None


def clean_name(name: str) -> str:
    """Return a name as a path below the folder of the images.

    Args:
        name (str): May be absolute, of Windows, or lead out of the folder.

    Returns:
        str: With ``/``; without a drive, leading separators, ``.`` and ``..``.
    """
    if '\\' in name:
        path = PureWindowsPath(name)
        parts = path.parts[1:] if path.anchor else path.parts
    else:
        parts = PurePosixPath(name).parts
    return '/'.join(part for part in parts if part not in ('/', '.', '..'))


def fit_to_file(image: LabelledImage, path: Path | None, remarks: Remarks) -> bool:
    """Bring an image's size and coordinates into the frame of its file.

    The frame is that of the file as EXIF turns it, in which training and prediction
    see it; coordinates become pixels. Where the size that the format gives is that of
    the file as it is stored, and EXIF turns it by 90 degrees, the coordinates are
    turned too, unless they lie outside the one frame and inside the other.

    Args:
        image (LabelledImage): Is changed.
        path (Path | None): Of its file; None where it was not found.
        remarks (Remarks): Is told what was done, and of what cannot be used.

    Returns:
        bool: False for an image that is to be left out.
    """
    name = image.names[0]
    header = None
    if path is not None:
        header = read_header(str(path))
        if header is None:
            remarks.leave_out('images whose file cannot be read', str(path))
            return False
    if header is None:
        if image.size is None:
            remarks.leave_out(
                'images that were not found, from which the size is needed; give their '
                'folder with --images',
                f'{image.where or name}: {name}',
            )
            return False
        _to_pixels(image, image.size)
        return True
    stored, orientation = header
    is_turned = orientation in TURNED
    shown = stored[::-1] if is_turned else stored
    given = image.size or shown
    if given == shown:
        pass
    elif is_turned and given == stored:
        _to_pixels(image, stored)
        image.size = shown
        if _fits(image.objects, stored) or not _fits(image.objects, shown):
            for one in image.objects:
                _turn(one, stored, orientation, remarks)
            remarks.note(
                'images were annotated as they are stored: coordinates are turned as '
                'EXIF turns the image; look at them with check-data --sheet',
                name,
            )
        else:
            remarks.note(
                'images have the size that is stored, and coordinates of the image as '
                'EXIF turns it: the size is corrected',
                name,
            )
        return True
    elif image.in_fractions and _is_alike(given, shown):
        remarks.note('images have another size than when they were annotated', name)
    else:
        remarks.leave_out(
            f'images of another size than was annotated, first {shown[0]}x{shown[1]} '
            f'instead of {given[0]}x{given[1]}',
            f'{image.where or name}: {path}',
        )
        return False
    image.size = shown
    _to_pixels(image, shown)
    return True


def _is_alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < _RATIO


def _to_pixels(image: LabelledImage, size: tuple[int, int]) -> None:
    if not image.in_fractions:
        return
    image.in_fractions = False
    width, height = size
    for one in image.objects:
        one.keypoints = {
            name: Keypoint(x * width, y * height, visibility)
            for name, (x, y, visibility) in one.keypoints.items()
        }
        if one.box is not None:
            x, y, w, h = one.box
            one.box = (x * width, y * height, w * width, h * height)


def _fits(objects: Iterable[LabelledObject], size: tuple[int, int]) -> bool:
    width, height = (side + _SLACK for side in size)
    for one in objects:
        if any(x > width or y > height for x, y, _ in one.keypoints.values()):
            return False
        if one.box is not None:
            x, y, w, h = one.box
            if x + w > width or y + h > height:
                return False
    return True


def _turn(
    one: LabelledObject, stored: tuple[int, int], orientation: int, remarks: Remarks
) -> None:
    """Turn an object from the stored frame to the one that EXIF shows."""
    # the centre of the last pixel of a row is its width - 1, its edge the width
    last = stored[0] - 1, stored[1] - 1
    one.keypoints = {
        name: Keypoint(*_turn_point(x, y, last, orientation), visibility)
        for name, (x, y, visibility) in one.keypoints.items()
    }
    if one.box is not None:
        x, y, w, h = one.box
        near = _turn_point(x, y, stored, orientation)
        far = _turn_point(x + w, y + h, stored, orientation)
        left, top = min(near[0], far[0]), min(near[1], far[1])
        one.box = (left, top, h, w)
    if isinstance(one.segmentation, list):
        one.segmentation = [
            _turn_polygon(polygon, stored, orientation) for polygon in one.segmentation
        ]
    elif one.segmentation is not None:
        remarks.leave_out('outlines in run lengths, of turned images', one.where)
        one.segmentation = None


def _turn_polygon(
    polygon: Any, stored: tuple[int, int], orientation: int
) -> list[float]:
    points = zip(polygon[::2], polygon[1::2])
    turned = (_turn_point(x, y, stored, orientation) for x, y in points)
    return [value for point in turned for value in point]


def _turn_point(
    x: float, y: float, ends: tuple[float, float], orientation: int
) -> tuple[float, float]:
    """Turn a point by EXIF's orientation 5 to 8; ``ends`` is the far corner."""
    right, bottom = ends
    return {
        5: (y, x),
        6: (bottom - y, x),
        7: (bottom - y, right - x),
        8: (y, right - x),
    }[orientation]
