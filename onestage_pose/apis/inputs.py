# Copyright (c) onestage_pose contributors.
"""Whatever a user calls the input, as a sequence of single images to load."""

from __future__ import annotations

import glob
import io
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import mmcv
import numpy as np
import torch
from mmcv.transforms import LoadImageFromFile
from PIL import Image, UnidentifiedImageError

from ..structures import to_bgr_image
from ..utils.errors import ImageError, UsageError, VideoError
from ..utils.file_kinds import get_file_kind
from ..utils.image_formats import MAX_PIXELS, check_image
from ..utils.paths import check_input_exists, is_listed_file, list_files
from .video import VideoSource

#: Seconds that a server has for an answer, and bytes of an image at most.
TIMEOUT, MAX_BYTES = 30, 2**28

_WEB = ('http://', 'https://')
_STREAMS = ('rtsp://', 'rtsps://', 'rtmp://', 'rtp://', 'udp://', 'tcp://', 'mms://')
_PLAYLISTS = ('.m3u8', '.mpd', '.ts')
_WEBCAM = re.compile(r'webcam(?::(\d+))?', re.IGNORECASE)
_GLOB = re.compile(r'[*?\[]')

#: An image that is in memory.
Pixels = np.ndarray | Image.Image | torch.Tensor
#: What :func:`open_inputs` takes.
InputsType = str | os.PathLike | int | Pixels | Iterable


@dataclass(frozen=True)
class ImageItem:
    """One image of the input, not loaded yet.

    Attributes:
        name (str): What messages call it, and files that are made of it.
        path (str, optional): Its file or its address; the video's, of a frame.
        pixels (optional): The image where it is in memory.
        rgb (bool): An array in ``pixels`` is RGB.
        frame (int, optional): Of a video, counted from 0.
        time (float, optional): Of the frame, in seconds from the first one.
        error (Exception, optional): Why there is no image; raised by :meth:`load`.
    """

    name: str
    path: str | None = None
    pixels: Pixels | None = None
    rgb: bool = False
    frame: int | None = None
    time: float | None = None
    error: Exception | None = None

    def load(self, loader: LoadImageFromFile) -> dict:
        """Load the image.

        Args:
            loader (LoadImageFromFile): The first transform of the model's pipeline.

        Returns:
            dict: What ``loader`` returns; ``img`` is (h, w, 3) BGR.

        Raises:
            FileNotFoundError: There is no such file.
            ImageError: It cannot be fetched or decoded, or is no image.
            Exception: :attr:`error`, where there is one.
        """
        if self.error is not None:
            raise self.error
        if self.pixels is not None:
            try:
                pixels = to_bgr_image(self.pixels, self.rgb)
            except ImageError as error:
                raise ImageError(f'{self.name}: {error}') from error
            return loader(dict(img=pixels, img_path=self.path or self.name))
        if self.path.startswith(_WEB):
            return self._load_address(loader)
        check_complete(Path(self.path))
        return loader(dict(img_path=self.path))

    def _load_address(self, loader: LoadImageFromFile) -> dict:
        with tempfile.TemporaryDirectory(prefix='onestage_pose_') as folder:
            file = os.path.join(folder, 'image')
            fetch(self.path, file)
            try:
                check_complete(Path(file))
                results = loader(dict(img_path=file))
            except (OSError, ValueError) as error:
                raise ImageError(str(error).replace(file, self.path)) from error
        results['img_path'] = self.path
        return results


@dataclass
class Inputs:
    """The images of one call.

    Attributes:
        items (Iterable[ImageItem]): In order. It can be gone through once where it is
            an iterator.
        total (int, optional): How many there are, where that is known.
        is_single (bool): It is one image by itself.
        video (VideoSource, optional): Where all are frames of one video or stream.
        left_out (list[str]): Names of files in a folder that are no images by name.
    """

    items: Iterable[ImageItem]
    total: int | None = None
    is_single: bool = False
    video: VideoSource | None = None
    left_out: list[str] = field(default_factory=list)


def open_inputs(
    inputs: InputsType, rgb: bool = False, recursive: bool = False
) -> Inputs:
    """Find the images that are meant.

    Args:
        inputs: The path of an image or a video (:class:`pathlib.Path` or text), of a
            folder or a pattern such as ``'images/*.jpg'``; an address (http, https) of
            an image or a video; that of a stream (rtsp, rtmp, ...); the number of a
            camera, or ``'webcam:0'``; an array (h, w, 3), BGR as OpenCV gives it; a PIL
            image; a tensor (3, h, w), RGB; or a list or an iterator of these.
        rgb (bool): Arrays are RGB.
        recursive (bool): Look into the folders of a folder too.

    Returns:
        Inputs: In the order of the input; files of a folder by their paths.

    Raises:
        UsageError: There is no such file, no image in the folder, or it is none of the
            above. In a list it is raised where the image is loaded.
        VideoError: The video, stream or camera cannot be opened; likewise.
    """
    if isinstance(inputs, bool):
        raise UsageError(f'the input is {inputs}: give an image, a path or a list.')
    if isinstance(inputs, int):
        return _of_video(VideoSource(inputs))
    if isinstance(inputs, (str, os.PathLike)):
        return _open_text(os.fsdecode(inputs), recursive)
    if isinstance(inputs, (np.ndarray, Image.Image, torch.Tensor)):
        item = _of_pixels(inputs, 0, rgb)
        return Inputs([item], total=1, is_single=True)
    if isinstance(inputs, Iterable) and not isinstance(inputs, (bytes, dict, set)):
        total = len(inputs) if _holds_images_only(inputs) else None
        return Inputs(_open_each(inputs, rgb, recursive), total)
    raise UsageError(
        f'the input is of type {type(inputs).__name__}: give a path, an address, an '
        'array (height, width, 3), a PIL image, a tensor (3, height, width), the '
        'number of a camera, or a list of these.'
    )


def check_complete(path: Path) -> None:
    """Raise ``ImageError`` for a truncated image, whose end OpenCV fills with grey."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        # the loader has to tell
        return
    check_complete_content(content, str(path))


def check_complete_content(content: bytes, name: str) -> None:
    """Raise ``ImageError`` for an encoded image that is truncated.

    Args:
        content (bytes): The file.
        name (str): Its path, for messages.
    """
    # before Pillow's decoders; the loader looks at the size
    check_image(content, name, max_pixels=2**62)
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format == 'PNG':
                # Its parts carry checksums, which need no decoding.
                image.verify()
            else:
                # Of a JPEG every eighth pixel, which reads all of the file.
                image.draft('L', (1, 1))
                image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        # Not Pillow's kind or size of image; the loader has to tell.
        return
    except (OSError, SyntaxError) as error:
        raise ImageError(
            f'{name}: this image is truncated ({error}); copy or download it again.'
        ) from error


def decode_image(
    content: bytes,
    name: str,
    max_pixels: int = MAX_PIXELS,
    option: str = 'max_pixels of LoadPoseImage, see docs/reference/model_options.md',
) -> np.ndarray:
    """Decode an image that is in memory.

    Args:
        content (bytes): Encoded.
        name (str): Its path, for messages.
        max_pixels (int): Most pixels that its header may state.
        option (str): What raises the limit, for messages.

    Returns:
        np.ndarray: (h, w, 3) uint8, BGR, turned as its EXIF orientation says.

    Raises:
        ImageError: It is none, is truncated, or too large.
    """
    check_image(content, name, max_pixels, option)
    check_complete_content(content, name)
    try:
        image = mmcv.imfrombytes(content, flag='color')
    except Exception as error:
        # each decoder fails in its own way
        raise ImageError(f'{name}: it cannot be decoded ({error}).') from error
    if image is None:
        raise ImageError(f'{name}: it cannot be decoded.')
    return image


def fetch(address: str, file: str) -> None:
    """Download an image.

    Args:
        address (str): http or https.
        file (str): Where it goes.

    Raises:
        ImageError: It cannot be had within :data:`TIMEOUT` seconds a packet, or has
            more than :data:`MAX_BYTES`.
    """
    # Servers such as Wikipedia's refuse Python's own name.
    request = urllib.request.Request(address, headers={'User-Agent': 'onestage_pose'})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            with open(file, 'wb') as target:
                shutil.copyfileobj(_Limited(answer, address), target)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'reason', error)
        if isinstance(error, urllib.error.HTTPError):
            reason = f'HTTP status {error.code}'
        if isinstance(error, ImageError):
            raise
        raise ImageError(f'{address}: cannot be downloaded ({reason}).') from error


class _Limited:
    """A file to read from that has no more than :data:`MAX_BYTES`."""

    def __init__(self, file: Any, address: str) -> None:
        self.file, self.address, self.left = file, address, MAX_BYTES

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ImageError(
                f'{self.address}: this file has more than {MAX_BYTES >> 20} MiB; '
                'download it and give its path.'
            )
        return data


def _open_text(text: str, recursive: bool) -> Inputs:
    camera = _WEBCAM.fullmatch(text)
    if camera:
        return _of_video(VideoSource(int(camera.group(1) or 0)))
    if text.startswith(_STREAMS):
        return _of_video(VideoSource(text))
    if text.startswith(_WEB):
        path = unquote(urlsplit(text).path)
        is_video = get_file_kind(path) == 'video' or path.endswith(_PLAYLISTS)
        return _of_video(VideoSource(text)) if is_video else _of_files([text])
    path = os.path.expanduser(text)
    if os.path.isdir(path):
        return _open_folder(Path(path), recursive)
    if not os.path.exists(path) and _GLOB.search(path):
        return _open_pattern(path)
    check_input_exists(text)
    return _open_file(path)


def _open_file(path: str) -> Inputs:
    kind = get_file_kind(path)
    if kind == 'video':
        return _of_video(VideoSource(path))
    if kind != 'image':
        raise UsageError(
            f'{path} is neither an image nor a video by its name; give it the '
            'extension of what it is (.jpg, .png, .mp4).'
        )
    return _of_files([path])


def _open_folder(folder: Path, recursive: bool) -> Inputs:
    files = list_files(folder, recursive)
    return _of_named(files, f'the folder {folder}', recursive, str(folder))


def _open_pattern(pattern: str) -> Inputs:
    files = [Path(path) for path in sorted(glob.glob(pattern, recursive=True))]
    files = [path for path in files if is_listed_file(path)]
    if not files:
        raise UsageError(f'no file matches the pattern {pattern}.')
    return _of_named(files, f'the pattern {pattern}', True, pattern)


def _of_named(
    files: Sequence[Path], place: str, recursive: bool, source: str
) -> Inputs:
    images = [str(path) for path in files if get_file_kind(path) == 'image']
    others = [path.name for path in files if get_file_kind(path) != 'image']
    if not images:
        beside = (
            ''
            if recursive
            else '; its subfolders are searched with recursive=True (--recursive)'
        )
        found = f' but {", ".join(others[:3])}' if others else ''
        raise UsageError(f'{place} holds no image{found}{beside}.')
    opened = _of_files(images)
    return Inputs(opened.items, opened.total, left_out=others)


def _of_files(paths: Sequence[str]) -> Inputs:
    items = [ImageItem(name=path, path=path) for path in paths]
    return Inputs(items, total=len(items), is_single=len(items) == 1)


def _of_video(video: VideoSource) -> Inputs:
    def frames() -> Iterator[ImageItem]:
        for number, frame in enumerate(video):
            yield ImageItem(
                name=f'{video.name} frame {number}',
                path=video.path,
                pixels=frame,
                frame=number,
                time=video.time,
            )

    return Inputs(frames(), total=video.num_frames, video=video)


def _of_pixels(pixels: Pixels, index: int, rgb: bool) -> ImageItem:
    # a PIL image knows its file
    path = getattr(pixels, 'filename', None) or None
    return ImageItem(name=path or f'image {index}', path=path, pixels=pixels, rgb=rgb)


def _holds_images_only(inputs: Iterable) -> bool:
    """Whether each element of a list is one image, as far as can be told at once."""
    return isinstance(inputs, Sequence) and not any(
        isinstance(each, (int, list, tuple))
        or (isinstance(each, (str, os.PathLike)) and _may_be_several(each))
        for each in inputs
    )


def _may_be_several(path: str | os.PathLike) -> bool:
    text = os.fsdecode(path)
    return get_file_kind(text) != 'image' or bool(_GLOB.search(text))


def _open_each(
    inputs: Iterable[Any], rgb: bool, recursive: bool
) -> Iterator[ImageItem]:
    for index, each in enumerate(inputs):
        if isinstance(each, (np.ndarray, Image.Image, torch.Tensor)):
            yield _of_pixels(each, index, rgb)
            continue
        if isinstance(each, (str, os.PathLike)):
            path = os.path.expanduser(os.fsdecode(each))
            if get_file_kind(path) == 'image' and not _GLOB.search(path):
                yield ImageItem(name=path, path=path)
                continue
        try:
            opened = open_inputs(each, rgb, recursive).items
        except (UsageError, VideoError, FileNotFoundError) as error:
            opened = [_of_error(each, index, error)]
        yield from opened


def _of_error(given: Any, index: int, error: Exception) -> ImageItem:
    """What is reported at its place in a list, and ends no others."""
    if isinstance(given, (str, os.PathLike)):
        return ImageItem(os.fsdecode(given), path=os.fsdecode(given), error=error)
    return ImageItem(f'image {index}', error=error)
