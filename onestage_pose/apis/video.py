# Copyright (c) onestage_pose contributors.
"""Frames of a video, a stream or a camera: upright, and with an error where none is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import PurePath

import cv2
import numpy as np

from ..utils.errors import VideoError

#: Frames a second of a video that does not say.
DEFAULT_FPS = 25.0

# Text that names other files or addresses, which FFmpeg would open.
_PLAYLISTS = (b'#EXTM3U', b'ffconcat')


class VideoSource:
    """A video, a stream or a camera that is open.

    Frames are turned as the video's header says: a telephone stores an upright video
    lying, and says by how much it is to be turned.

    Args:
        source (str | os.PathLike | int): A file, an address, or the number of a camera.

    Attributes:
        name (str): Of the file, or what the source is.
        path (str, optional): The file or address; None for a camera.
        fps (float): Frames a second; :data:`DEFAULT_FPS` where the source does not say.
        num_frames (int, optional): How many it says it has; None where it is live or
            does not say.
        num_read (int): Frames that were given so far.
        time (float): When the frame that was given last is shown, in seconds from the
            first one: as the file or the stream says, whose rate may vary; of a camera
            when it came. It grows with each frame.
        is_live (bool): It is a camera, or a stream that knows no end.
        height (int): Of the first frame as it is shown, in pixels.
        width (int): Likewise.

    Raises:
        FileNotFoundError: The file does not exist.
        VideoError: It cannot be opened, or holds no frame.
    """

    def __init__(self, source: str | os.PathLike | int) -> None:
        is_camera = isinstance(source, int)
        self.path = None if is_camera else os.fspath(source)
        self.name = f'camera {source}' if is_camera else PurePath(self.path).name
        self.num_read, self.time = 0, 0.0
        is_file = not is_camera and '://' not in self.path
        if is_file:
            _check_file(self.path)
        self._capture = cv2.VideoCapture(source if is_camera else self.path)
        # on by default in some builds of OpenCV only
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        is_open = self._capture.isOpened()
        read, self._first = self._capture.read()
        if not read:
            self._capture.release()
            if is_camera:
                raise VideoError(f'camera {source} cannot be opened or gives no image.')
            what = 'holds no frame that can be decoded' if is_open else ''
            raise VideoError(f'{self.path}: this video {what or "cannot be decoded"}.')
        self.height, self.width = self._first.shape[:2]
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.fps = fps if np.isfinite(fps) and 0 < fps < 1000 else DEFAULT_FPS
        self.num_frames = count if count > 0 and not is_camera else None
        self.is_live = not is_file and self.num_frames is None
        self._began = self._tell()

    @property
    def frames_missing(self) -> str | None:
        """str, optional: What to say of a video that ended early; None for a whole one.

        Known after the last frame. Some kinds of file estimate their number of frames,
        so that this is no error.
        """
        if self.num_frames is None or self.num_read >= self.num_frames:
            return None
        frames = '1 frame' if self.num_read == 1 else f'{self.num_read} frames'
        return (
            f'{self.path} ends after {frames}, though it says that it has '
            f'{self.num_frames}.'
        )

    def __len__(self) -> int:
        """Return how many frames it says it has, 0 where it does not say."""
        return self.num_frames or 0

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield each frame, (h, w, 3) uint8 BGR, upright; once."""
        try:
            frame, self._first = self._first, None
            while frame is not None:
                self.num_read += 1
                yield frame
                read, frame = self._capture.read()
                if not read:
                    break
                self._advance()
        finally:
            self._capture.release()

    def _tell(self) -> float:
        """Return the time of the frame that was read last, in seconds."""
        if self.path is None:
            return time.monotonic()
        return self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def _advance(self) -> None:
        told = self._tell() - self._began
        # a file that does not say, or whose clock goes back
        is_later = np.isfinite(told) and told > self.time
        self.time = told if is_later else self.time + 1 / self.fps


def _check_file(path: str) -> None:
    """Raise for what OpenCV would crash on, or open something else for."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise VideoError(
            f'{path}: OpenCV cannot open a video whose name is not UTF-8; rename it.'
        ) from error
    with open(path, 'rb') as file:
        begin = file.read(16)
    if not begin:
        raise VideoError(f'{path}: this video is an empty file.')
    if begin.startswith(_PLAYLISTS):
        raise VideoError(
            f'{path}: this file is a list of other files, not a video; give one '
            'of these.'
        )
