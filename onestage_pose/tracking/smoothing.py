# Copyright (c) onestage_pose contributors.
"""The One-Euro filter (Casiez et al., CHI 2012) for keypoints of several people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

#: Hertz under which a keypoint at rest is smoothed, at a strength of 1.
MIN_CUTOFF = 1.0
#: Hertz by which that grows for each of the person's sizes that a keypoint moves in a
#: second.
SPEED_COEFFICIENT = 4.0
#: Hertz under which the speed itself is smoothed.
SPEED_CUTOFF = 1.0


class _State(NamedTuple):
    points: np.ndarray
    speeds: np.ndarray
    time: float


class OneEuroFilter:
    """Smooth keypoints at rest and follow those that move (One-Euro filter).

    A low-pass filter whose cut-off frequency grows with the speed: keypoints at rest do
    not jitter, fast ones do not lag. Speeds are in sizes of the person per second, so
    that one strength suits people near and far.

    Args:
        strength (float): Divides the cut-off frequency for keypoints at rest, above 0:
            2 halves it.

    Examples:
        >>> smooth = OneEuroFilter()
        >>> points = smooth([7], points, sizes=[120.0], time=0.04)
    """

    def __init__(self, strength: float = 1.0) -> None:
        self.strength = strength
        self._states: dict[int, _State] = {}

    def __call__(
        self,
        ids: Sequence[int],
        points: np.ndarray,
        sizes: Sequence[float],
        time: float,
    ) -> np.ndarray:
        """Smooth the keypoints of a frame.

        Args:
            ids (Sequence[int]): N different track ids. Keypoints of a new id are
                returned unchanged.
            points (np.ndarray): (N, K, 2) in pixels.
            sizes (Sequence[float]): (N,) sizes of these people: the square root of the
                area of their box, in pixels.
            time (float): Time of the frame in seconds, later than that of the previous
                frame.

        Returns:
            np.ndarray: (N, K, 2), of the type of ``points``.
        """
        if not len(points):
            return points
        found = np.asarray(points, np.float64)
        # whoever is new has been there for a while
        fresh = [_State(each, np.zeros_like(each), time - 1) for each in found]
        states = [self._states.get(int(key), new) for key, new in zip(ids, fresh)]
        before, speeds = (np.stack(each) for each in list(zip(*states))[:2])
        elapsed = time - np.array([state.time for state in states])[:, None, None]
        moved = (found - before) / elapsed
        speeds = speeds + _share(SPEED_CUTOFF, elapsed) * (moved - speeds)
        sizes = np.maximum(np.asarray(sizes, float), 1)[:, None, None]
        relative = np.linalg.norm(speeds, axis=-1, keepdims=True) / sizes
        cutoff = MIN_CUTOFF / self.strength + SPEED_COEFFICIENT * relative
        smooth = before + _share(cutoff, elapsed) * (found - before)
        for key, *state in zip(ids, smooth, speeds):
            self._states[int(key)] = _State(*state, time)
        return smooth.astype(points.dtype)

    def keep(self, ids: Collection[int]) -> None:
        """Forget all tracks except ``ids``."""
        self._states = {key: self._states[key] for key in ids if key in self._states}

    def state_dict(self) -> dict:
        """Return the state for :meth:`load_state_dict`, as plain data for JSON."""
        return {
            str(key): [state.points.tolist(), state.speeds.tolist(), state.time]
            for key, state in self._states.items()
        }

    def load_state_dict(self, states: dict) -> None:
        """Continue from a state of :meth:`state_dict`."""
        self._states = {
            int(key): _State(np.array(points), np.array(speeds), time)
            for key, (points, speeds, time) in states.items()
        }


def _share(cutoff: np.ndarray | float, elapsed: np.ndarray) -> np.ndarray:
    """Return the weight of the newest value in a low-pass filter of first order."""
    turns = 2 * np.pi * cutoff * elapsed
    return turns / (1 + turns)
