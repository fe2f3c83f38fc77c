# Copyright (c) onestage_pose contributors.
"""The people of a video with their numbers, and a drawn video that keeps its pace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from ..apis.inputs import Inputs, InputsType, open_inputs
from ..apis.predictor import PosePredictor
from ..apis.result import PoseResult
from ..utils.errors import UsageError
from ..visualization.video_file import VideoFile
from .pose_tracker import LOW_THR, PoseTracker
from .tiles import TiledPredictor

#: Seconds that one frame is shown for at most, whatever a broken clock says.
LONGEST_FRAME = 10.0


def track_video(
    predictor: PosePredictor,
    video: InputsType | Inputs,
    tracker: PoseTracker | None = None,
    tiles: tuple[int, int] | None = None,
) -> Iterator[PoseResult]:
    """Detect and track the people of a video.

    Args:
        predictor (PosePredictor): The predictor.
        video: Path of a video, an address, the number of a camera, or an open input.
        tracker (PoseTracker | None): By default a new one with the predictor's
            ``bbox_thr``.
        tiles (tuple[int, int] | None): Columns and rows of tiles; see
            :class:`.TiledPredictor`.

    Returns:
        Iterator[PoseResult]: One for each frame, with ``ids`` and ``time``, computed
        when it is requested.

    Raises:
        UsageError: ``video`` is not a video; raised immediately.

    Examples:
        >>> for result in track_video(PosePredictor('nano'), 'video.mp4'):
        ...     print(result.time, result.ids)
    """
    opened = video if isinstance(video, Inputs) else open_inputs(video)
    if opened.video is None:
        raise UsageError('tracking needs a video, a stream or a camera, not images.')
    if tracker is None:
        tracker = PoseTracker(predictor.dataset_meta, bbox_thr=predictor.bbox_thr)
    if tiles is None:
        found = predictor(opened, bbox_thr=LOW_THR, on_error='raise')
    else:
        found = TiledPredictor(predictor, tiles)(opened, bbox_thr=LOW_THR)
    return map(tracker, found)


class PacedVideo:
    """A video to write frames to at the times that they are shown.

    Its frame rate is fixed: a frame that is shown for longer is repeated, and of
    several that fall together the last one stays. Used as a context manager.

    Args:
        path (Path): As :class:`.VideoFile` takes it.
        fps (float): Frames a second.
        keep_interrupted (bool): Likewise.
    """

    def __init__(self, path: Path, fps: float, keep_interrupted: bool = False) -> None:
        self._file = VideoFile(path, fps, keep_interrupted)
        self._fps = fps
        self._frame: np.ndarray | None = None
        self._index = 0
        # that the times are behind, where a frame was shown for too long
        self._cut = 0

    def write(self, frame: np.ndarray, time: float) -> None:
        """Append a frame, (h, w, 3) uint8 BGR, which is shown from ``time`` on."""
        index = round(time * self._fps) - self._cut
        if self._frame is not None:
            longest = max(1, round(LONGEST_FRAME * self._fps))
            self._cut += max(0, index - self._index - longest)
            index = min(index, self._index + longest)
            self._repeat(index - self._index)
        self._frame, self._index = frame, max(index, self._index)

    def _repeat(self, times: int) -> None:
        for _ in range(times):
            self._file.write(self._frame)

    def __enter__(self) -> PacedVideo:
        self._file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._frame is not None:
            self._repeat(1)
        self._file.__exit__(kind, error, trace)
