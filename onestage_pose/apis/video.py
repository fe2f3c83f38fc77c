# Copyright (c) onestage_pose contributors.
"""Frames of a video, a stream or a camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import cv2
import numpy as np

from ..utils.errors import VideoError


class VideoSource:
    """A video, a stream or a camera that is open.

    Args:
        source (str | int): A file, an address, or the number of a camera.

    Attributes:
        name (str): Of the file, or what the source is.
        path (str, optional): The file or address; None for a camera.
        fps (float): Frames a second; 25 where the source does not say.
        num_frames (int, optional): How many it says it has; None where it is live.

    Raises:
        VideoError: It cannot be opened, or gives no frame.
    """

    def __init__(self, source: str | int) -> None:
        is_camera = isinstance(source, int)
        self.path = None if is_camera else source
        self.name = f'camera {source}' if is_camera else PurePath(source).name
        self._capture = cv2.VideoCapture(source)
        # a telephone's video is stored lying, with a turn in its header
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        read, self._first = self._capture.read()
        if not read:
            self._capture.release()
            if is_camera:
                raise VideoError(f'camera {source} cannot be opened or gives no image.')
            raise VideoError(f'{source}: this video cannot be decoded.')
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.fps = fps if np.isfinite(fps) and 0 < fps < 1000 else 25.0
        self.num_frames = count if count > 0 and not is_camera else None

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield each frame, (h, w, 3) uint8 BGR, upright; once."""
        try:
            frame, self._first = self._first, None
            while frame is not None:
                yield frame
                read, frame = self._capture.read()
                frame = frame if read else None
        finally:
            self._capture.release()
