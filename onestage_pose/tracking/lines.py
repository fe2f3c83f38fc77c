# Copyright (c) onestage_pose contributors.
"""The people of a video as lines of JSON, and where a killed run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from ..apis.result import PoseResult
from ..apis.writing import to_json
from ..checkpoints.atomic import write_text
from ..utils.errors import OutputError, UsageError
from .interrupted import check_interrupted, name_state

#: Frames after which the state of the tracker is kept, to go on from.
STATE_INTERVAL = 50

# Of a pixel, and of a score.
_PLACE_DIGITS, _SCORE_DIGITS = 2, 4
_TIME_DIGITS = 6
_OF_KEYPOINTS = ('keypoint_presence', 'keypoints_visible')


def to_record(result: PoseResult) -> dict[str, Any]:
    """Return what the line of a frame holds.

    Args:
        result (PoseResult): With ``ids`` and ``time``.

    Returns:
        dict: ``frame`` (from 0), ``time`` (seconds from the first frame) and
        ``people``: of each ``id``, ``score``, ``box`` (x1, y1, x2, y2), ``keypoints``
        ([x, y, score] of each), and where the model predicts them
        ``keypoint_presence`` and ``keypoints_visible``.
    """
    points = result.keypoints.astype(float).round(_PLACE_DIGITS)
    scores = result.keypoint_scores.astype(float).round(_SCORE_DIGITS)
    columns = dict(
        id=result.ids,
        score=result.scores.astype(float).round(_SCORE_DIGITS),
        box=result.boxes.astype(float).round(_PLACE_DIGITS),
        keypoints=np.concatenate([points, scores[..., None]], -1),
    )
    for name in _OF_KEYPOINTS:
        values = getattr(result, name)
        if values is not None:
            columns[name] = values.astype(float).round(_SCORE_DIGITS)
    rows = zip(*(column.tolist() for column in columns.values()))
    return dict(
        frame=result.frame,
        time=round(result.time, _TIME_DIGITS),
        people=[dict(zip(columns, row)) for row in rows],
    )


def from_record(record: Mapping[str, Any], **common: Any) -> PoseResult:
    """Return the result that a line was made of.

    Args:
        record (Mapping): As :func:`to_record` returns it.
        **common: What is the same in all frames, and the image: ``names``, ``shape``,
            ``path``, ``image``, ``kpt_thr`` and ``dataset_meta`` of
            :class:`.PoseResult`.

    Returns:
        PoseResult: With ``ids``.
    """
    people, number = record['people'], len(common['names'])

    def column(name: str, *shape: int) -> np.ndarray:
        return np.float32([each[name] for each in people]).reshape(-1, *shape)

    points = column('keypoints', number, 3)
    extras = {
        name: column(name, number)
        for name in _OF_KEYPOINTS
        if people and name in people[0]
    }
    return PoseResult(
        boxes=column('box', 4),
        scores=column('score'),
        keypoints=points[..., :2],
        keypoint_scores=points[..., 2],
        ids=np.array([each['id'] for each in people], np.int64),
        frame=record['frame'],
        time=record['time'],
        **extras,
        **common,
    )


class TrackLines:
    """A file with a line of JSON for each frame, which a later run can go on with.

    Each line is written when its frame is done. The state of the tracker goes to
    ``NAME.state`` beside it every :data:`STATE_INTERVAL` frames, and when the run stops
    before :meth:`finish`. A run that goes on drops the lines after that state, which
    only a killed run leaves, and writes them again as they were. Used as a context
    manager.

    Args:
        path (Path): The file.
        settings (Mapping | None): What the lines depend on, for JSON: a run that goes
            on has to have the same. None for what cannot be read again, as a camera.
        resume (bool): Go on with what is there; from the start where nothing is.
        force (bool): Write over what is there.

    Attributes:
        num_frames (int): Frames whose lines are in the file.
        num_saved (int): Frames that a later run does not repeat.
        state (dict, optional): Of the tracker after these, as it was saved.

    Raises:
        UsageError: There is a file and neither ``resume`` nor ``force`` was said; or
            it cannot be gone on with.
        OutputError: The disk is full, or the folder cannot be written to.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any] | None,
        resume: bool = False,
        force: bool = False,
    ) -> None:
        self.path = Path(path)
        self.state_path = name_state(self.path)
        # as JSON gives it back
        self._settings = json.loads(to_json(settings))
        self.num_frames, self.state = 0, None
        self._size = 0
        # what to save when the run stops; None where nothing is newer than the file
        self._unsaved: dict[str, Any] | None = None
        if resume:
            self._read_state()
        elif not force:
            self._refuse_existing()
        self.num_saved = self.num_frames
        self._file: BinaryIO | None = None

    def _refuse_existing(self) -> None:
        check_interrupted(self.path)
        if self.path.exists():
            raise UsageError(f'{self.path} exists: --force overwrites it.')

    def _read_state(self) -> None:
        if not self.state_path.exists():
            if self.path.exists():
                raise UsageError(
                    f'{self.path}: nothing to resume, because there is no '
                    f'{self.state_path.name} beside it: the file is complete, or from '
                    'another program. --force overwrites it.'
                )
            return
        try:
            saved = json.loads(self.state_path.read_text(encoding='utf-8'))
            size, before = saved['size'], saved['settings']
            self.num_frames, self.state = saved['num_frames'], saved['tracker']
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f'{self.state_path} cannot be read ({error}); --force starts over.'
            ) from error
        for name in sorted({*before, *self._settings}):
            was, now = before.get(name), self._settings.get(name)
            if was != now:
                raise UsageError(
                    f'{self.path} was started with {name}={was!r}, and now it is '
                    f'{now!r}: give the same, or start over with --force.'
                )
        if not self.path.exists() or self.path.stat().st_size < size:
            raise UsageError(
                f'{self.path} is shorter than it was; --force starts over.'
            )
        self._size = size

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield what the lines hold that are in the file at the start."""
        with self.path.open('rb') if self._size else open(os.devnull, 'rb') as file:
            for _ in range(self.num_frames):
                yield json.loads(file.readline())

    def write(self, result: PoseResult, state: Callable[[], dict[str, Any]]) -> None:
        """Append the line of a frame.

        Args:
            result (PoseResult): Of the frame.
            state (Callable): Returns the tracker's state after it.
        """
        line = to_json(to_record(result), indent=None).encode() + b'\n'
        with self._naming():
            self._file.write(line)
            self._file.flush()
        self._size += len(line)
        self.num_frames += 1
        # in one step: Ctrl-C may come between any two
        self._unsaved = self._describe(state())
        if self.num_frames % STATE_INTERVAL == 0:
            self._save()

    def finish(self) -> None:
        """Remove ``NAME.state``: every frame has its line."""
        self._unsaved = None
        self.state_path.unlink(missing_ok=True)

    def _describe(self, state: dict[str, Any] | None) -> dict[str, Any]:
        return dict(
            settings=self._settings,
            num_frames=self.num_frames,
            size=self._size,
            tracker=state,
        )

    def _save(self) -> None:
        if self._settings is None or self._unsaved is None:
            return
        with self._naming():
            # the lines are on the disk before the state that counts on them
            os.fsync(self._file.fileno())
            write_text(to_json(self._unsaved, indent=None), self.state_path)
        self.num_saved, self._unsaved = self._unsaved['num_frames'], None

    def _naming(self) -> _Naming:
        return _Naming(self.path)

    def __enter__(self) -> TrackLines:
        with self._naming():
            self._file = self.path.open('r+b' if self._size else 'wb')
            self._file.truncate(self._size)
            self._file.seek(self._size)
        if not self._size:
            # a run that is killed before the first state starts anew
            self._unsaved = self._describe(None)
            self._save()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._file:
                self._save()
        except OSError:
            # of what could not be written before, which has been raised
            if kind is None:
                raise


class _Naming:
    """Turns an error of the system into one that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            raise OutputError(
                f'{self.path} could not be written: {error.strerror}. --resume '
                'continues from what is there.'
            ) from error
