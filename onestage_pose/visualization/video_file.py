# Copyright (c) onestage_pose contributors.
"""Write a video that is there whole or not at all."""

from __future__ import annotations

import glob
import hashlib
import os
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ..utils.errors import OutputError
from ..utils.signals import is_running


class VideoFile:
    """A video to write frames to, which takes its name when it is closed and whole.

    OpenCV reports no error of a full disk: the file is read again after closing. Used
    as a context manager, which also removes what killed processes have left of the same
    file.

    Args:
        path (Path): The file, of a kind that its name says (``.mp4``). What was there
            before stays until the new one is whole.
        fps (float): Frames a second.
        keep_interrupted (bool): Ctrl-C completes it, for a source that has no end.
            Else the frames before Ctrl-C are no file, as after an error.

    Attributes:
        num_frames (int): Frames that were written so far.

    Raises:
        OutputError: OpenCV cannot write such a file here, or not all that was written
            can be read again (a full disk, for one).
    """

    def __init__(self, path: Path, fps: float, keep_interrupted: bool = False) -> None:
        self.path, self.fps = Path(path), fps
        self._completing = (None, KeyboardInterrupt) if keep_interrupted else (None,)
        self._part = name_part(self.path, os.getpid())
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self.num_frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (h, w, 3) uint8 BGR; all are of the size of the first."""
        height, width = frame.shape[:2]
        if self._writer is None:
            self._size = width, height
            self._writer = self._open()
        if (width, height) != self._size:
            # what OpenCV would leave out in silence
            frame = cv2.resize(frame, self._size)
        self._writer.write(frame)
        self.num_frames += 1

    def _open(self) -> cv2.VideoWriter:
        try:
            # OpenCV crashes on other names
            str(self._part).encode()
        except UnicodeEncodeError as error:
            raise OutputError(
                f'{self.path}: OpenCV cannot write a video whose name is not UTF-8; '
                'give another folder.'
            ) from error
        fourcc = cv2.VideoWriter_fourcc(*'mp4v')
        writer = cv2.VideoWriter(str(self._part), fourcc, self.fps, self._size)
        if not writer.isOpened():
            raise OutputError(f'{self.path}: OpenCV cannot write this video here.')
        return writer

    def __enter__(self) -> VideoFile:
        _remove_abandoned(self.path)
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
            if self.num_frames and kind in self._completing:
                check_video(self._part, self.num_frames, self.path)
                os.replace(self._part, self.path)
        except OSError as problem:
            if isinstance(problem, OutputError):
                raise
            raise OutputError(
                f'{self.path} could not be written: {problem.strerror}.'
            ) from problem
        finally:
            self._part.unlink(missing_ok=True)


def name_part(path: Path, process: int) -> Path:
    """Return what a process calls a video until it is complete.

    Args:
        path (Path): The video. Its name may have 255 bytes, the most that a file system
            takes, so the part has a hash of it.
        process (int): The id of the process.
    """
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    return path.with_name(f'.{digest}.{process}.part{path.suffix}')


def _remove_abandoned(path: Path) -> None:
    """Remove the parts of a video whose processes no longer run."""
    for part in path.parent.glob(f'.*.part{glob.escape(path.suffix)}'):
        process = part.name.split('.')[2]
        if process.isdecimal() and part == name_part(path, int(process)):
            if not is_running(int(process)):
                # another run may be removing it, too
                part.unlink(missing_ok=True)


def check_video(path: Path, num_frames: int, name: Path | None = None) -> None:
    """Raise ``OutputError`` where a video does not hold all frames.

    Args:
        path (Path): The file.
        num_frames (int): How many were written.
        name (Path | None): What the message calls it.
    """
    capture, found = cv2.VideoCapture(str(path)), 0
    while found < num_frames and capture.grab():
        found += 1
    capture.release()
    if found < num_frames:
        raise OutputError(
            f'{name or path}: {num_frames} frames were drawn, of which the file holds '
            f'{found}; is the disk full?'
        )
