# Copyright (c) onestage_pose contributors.
"""A window that shows what is drawn, with its frame rate, until a key closes it."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

import cv2
import numpy as np

from ..utils.errors import UsageError

#: Keys that end the run: q, Q and Escape.
QUIT_KEYS = (ord('q'), ord('Q'), 27)
# How much the newest frame counts in the frame rate.
_NEWEST = 0.1


def check_display() -> None:
    """Raise where no window can be shown.

    Raises:
        UsageError: There is no display, or OpenCV comes without windows.
    """
    # with none, the toolkit of OpenCV's windows ends the whole program
    needs_display = sys.platform.startswith('linux')
    if needs_display and not {'DISPLAY', 'WAYLAND_DISPLAY'} & {*os.environ}:
        raise UsageError(
            'a window cannot be shown, because there is no display (DISPLAY is not set)'
            ': leave out --show, and give --out or --json.'
        )
    try:
        cv2.namedWindow('onestage-pose')
        cv2.destroyWindow('onestage-pose')
    except cv2.error as error:
        raise UsageError(
            'a window cannot be shown by this OpenCV, which has no windows (as '
            'opencv-python-headless): install opencv-python instead, or leave out '
            '--show, and give --out or --json.'
        ) from error


class Window:
    """A window on the screen. Used as a context manager.

    Args:
        title (str): What it is called.

    Attributes:
        rate (float, optional): Frames a second that are shown; None before the second.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.rate: float | None = None
        self._shown: float | None = None

    def show(self, drawing: np.ndarray) -> bool:
        """Show a frame.

        Args:
            drawing (np.ndarray): (h, w, 3) uint8 BGR; it gets the frame rate.

        Returns:
            bool: Whether to go on: no key of :data:`QUIT_KEYS` was pressed, and the
            window is open.
        """
        self._count()
        if self.rate is not None:
            text = f'{self.rate:.1f} frames/s'
            for color, width in ((0, 0, 0), 4), ((255, 255, 255), 1):
                cv2.putText(
                    drawing,
                    text,
                    (8, 20),
                    cv2.FONT_HERSHEY_SIMPLEX,
                    0.5,
                    color,
                    width,
                    cv2.LINE_AA,
                )
        is_first = self._shown is None
        cv2.imshow(self.title, drawing)
        key = cv2.waitKey(1) & 0xFF
        is_open = is_first or cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE)
        return key not in QUIT_KEYS and is_open >= 1

    def _count(self) -> None:
        now = time.monotonic()
        if self._shown is not None and now > self._shown:
            rate = 1 / (now - self._shown)
            before = rate if self.rate is None else self.rate
            self.rate = before + _NEWEST * (rate - before)
        self._shown = now

    def __enter__(self) -> Window:
        cv2.namedWindow(self.title, cv2.WINDOW_NORMAL)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cv2.destroyWindow(self.title)
