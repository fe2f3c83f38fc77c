# Copyright (c) onestage_pose contributors.
"""Write a video that is there whole or not at all."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ..utils.errors import OutputError


class VideoFile:
    """A video to write frames to, which takes its name when it is closed and whole.

    Args:
        path (Path): The file, of a kind that its name says (``.mp4``).
        fps (float): Frames a second.

    Raises:
        OutputError: OpenCV cannot write such a file here, or what was written cannot
            be read again (a full disk, for one).
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self.fps = path, fps
        self._part = path.with_name(f'.{path.stem}.part{path.suffix}')
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self.num_frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (h, w, 3) uint8 BGR; all are of the size of the first."""
        height, width = frame.shape[:2]
        if self._writer is None:
            self._size = width, height
            fourcc = cv2.VideoWriter_fourcc(*'mp4v')
            self._writer = cv2.VideoWriter(
                str(self._part), fourcc, self.fps, self._size
            )
            if not self._writer.isOpened():
                raise OutputError(f'{self.path}: OpenCV cannot write this video here.')
        if (width, height) != self._size:
            # what OpenCV would leave out in silence
            frame = cv2.resize(frame, self._size)
        self._writer.write(frame)
        self.num_frames += 1

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        try:
            # what was drawn before Ctrl-C is a video too
            if self.num_frames and (kind is None or kind is KeyboardInterrupt):
                self._check()
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def _check(self) -> None:
        written = cv2.VideoCapture(str(self._part))
        has_first, _ = written.read()
        found = int(written.get(cv2.CAP_PROP_FRAME_COUNT))
        written.release()
        if not has_first or found < self.num_frames:
            raise OutputError(
                f'{self.path}: {self.num_frames} frames were drawn, of which the file '
                f'holds {found if has_first else 0}; is the disk full?'
            )
