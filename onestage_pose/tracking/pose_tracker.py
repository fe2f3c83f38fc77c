# Copyright (c) onestage_pose contributors.
"""Numbers for the people of a video, and keypoints that do not shake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..apis.options import check_number, refuse_unknown
from ..apis.result import PoseResult
from ..apis.thresholds import BBOX_THR
from ..structures.categories import get_categories
from ..utils.errors import UsageError
from .byte_tracker import PoseByteTracker
from .smoothing import OneEuroFilter

#: People over this score continue somebody whom the tracker follows already.
LOW_THR = 0.1
#: Seconds that somebody may be lost for and keep the number.
MAX_GAP = 1.0
#: Strength of the smoothing.
SMOOTH = 1.0

# What a result has a row of for each person.
_PER_PERSON = (
    'boxes',
    'scores',
    'keypoints',
    'keypoint_scores',
    'keypoint_presence',
    'keypoints_visible',
    'keypoint_covariances',
    'labels',
    'masks',
)


class PoseTracker:
    """Follow people through the frames of a video, and give each a track id.

    A new track needs a score over ``bbox_thr`` in two consecutive frames (in the first
    frame, one is enough). An existing track continues with a lower score too, so call
    the predictor with a low threshold:
    ``bbox_thr=onestage_pose.tracking.pose_tracker.LOW_THR``.

    Args:
        dataset_meta (Mapping): ``dataset_meta`` of the predictor; its ``sigmas`` are
            used for OKS.
        bbox_thr (float): Smallest score of a new track, 0 to 1.
        max_gap (float): Seconds for which a person may be lost and keep the track id.
        smooth (float): Strength of the One-Euro filter of keypoints; 0 switches it off.

    Raises:
        UsageError: lap is not installed, an argument is invalid, or the model has
            several categories.

    Examples:
        >>> tracker = PoseTracker(predictor.dataset_meta)
        >>> for result in predictor('video.mp4', bbox_thr=0.1):
        ...     print(tracker(result).ids)
    """

    def __init__(
        self,
        dataset_meta: Mapping[str, Any],
        *,
        bbox_thr: float = BBOX_THR,
        max_gap: float = MAX_GAP,
        smooth: float = SMOOTH,
        **unknown: Any,
    ) -> None:
        refuse_unknown(unknown, PoseTracker.__init__.__kwdefaults__, 'PoseTracker')
        check_number('bbox_thr', bbox_thr, 0, 1)
        check_number('max_gap', max_gap, 0)
        check_number('smooth', smooth, 0)
        categories = get_categories(dataset_meta)
        if categories:
            raise UsageError(
                'PoseTracker follows one skeleton, and the model has the categories '
                f'{", ".join(each.name for each in categories)}; give it '
                'result.of_category(NAME), and the dataset_meta of that.'
            )
        sigmas = dataset_meta.get('sigmas')
        has_sigmas = sigmas is not None and len(sigmas) > 0
        self._tracker = PoseByteTracker(
            np.asarray(sigmas) if has_sigmas else None,
            low_thr=min(LOW_THR, bbox_thr),
            high_thr=bbox_thr,
            max_gap=max_gap,
        )
        self._filter = OneEuroFilter(smooth) if smooth else None
        # mmdet's numbers are also spent on those who do not last
        self._numbers: dict[int, int] = {}
        self._next, self._time = 1, -np.inf

    def __call__(self, result: PoseResult) -> PoseResult:
        """Track the people of the next frame.

        Args:
            result (PoseResult): Result of a frame of a video, with its ``time``.

        Returns:
            PoseResult: The tracked people, sorted by ``ids``, with smoothed keypoints.

        Raises:
            UsageError: The result has no time, or is not later than the previous one.
        """
        if result.time is None or result.time <= self._time:
            raise UsageError(
                f'the tracker needs the frames of one video in order: {result} has the '
                f'time {result.time}, after {self._time}.'
            )
        self._time = result.time
        triples = np.concatenate(
            [result.keypoints, result.keypoint_scores[..., None]], -1
        )
        rows, keys = self._tracker(result.boxes, result.scores, triples, result.time)
        ids = np.array([self._number(int(key)) for key in keys], np.int64)
        order = np.argsort(ids)
        rows, ids = rows[order], ids[order]
        self._forget()
        chosen = {
            name: getattr(result, name)[rows]
            for name in _PER_PERSON
            if getattr(result, name) is not None
        }
        if self._filter is not None:
            sizes = np.sqrt(np.prod(chosen['boxes'][:, 2:] - chosen['boxes'][:, :2], 1))
            chosen['keypoints'] = self._filter(
                ids, chosen['keypoints'], sizes, result.time
            )
        return replace(result, ids=ids, **chosen)

    def _number(self, key: int) -> int:
        if key not in self._numbers:
            self._numbers[key], self._next = self._next, self._next + 1
        return self._numbers[key]

    def _forget(self) -> None:
        known = self._numbers.items()
        self._numbers = {key: id for key, id in known if key in self._tracker.tracks}
        if self._filter is not None:
            self._filter.keep(self._numbers.values())

    def state_dict(self) -> dict[str, Any]:
        """Return the state for :meth:`load_state_dict`, as plain data for JSON."""
        return dict(
            tracker=self._tracker.state_dict(),
            filter=self._filter and self._filter.state_dict(),
            numbers={str(key): number for key, number in self._numbers.items()},
            next=self._next,
            time=self._time if np.isfinite(self._time) else None,
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state of :meth:`state_dict`, with the same arguments."""
        self._tracker.load_state_dict(state['tracker'])
        if self._filter is not None:
            self._filter.load_state_dict(state['filter'])
        self._numbers = {int(key): each for key, each in state['numbers'].items()}
        self._next = state['next']
        self._time = -np.inf if state['time'] is None else state['time']
