# Copyright (c) onestage_pose contributors.
"""A window shows frames until a key is pressed; without a display it says so."""

from onestage_pose.tracking.window import Window, check_display
from onestage_pose.utils.errors import UsageError

import cv2
import numpy as np
import pytest


@pytest.fixture
def screen(monkeypatch):
    """OpenCV's windows: what was shown; ``key`` is pressed, ``open`` tells."""

    class Screen:
        shown, key, open = [], -1, 1.0

    screen = Screen()
    screen.shown = []
    monkeypatch.setattr(cv2, 'namedWindow', lambda *_: None)
    monkeypatch.setattr(cv2, 'destroyWindow', lambda *_: None)
    monkeypatch.setattr(cv2, 'imshow', lambda _, image: screen.shown.append(image))
    monkeypatch.setattr(cv2, 'waitKey', lambda _: screen.key)
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda *_: screen.open)
    return screen


@pytest.mark.parametrize(
    ('key', 'goes_on'), [(-1, True), (ord('a'), True), (ord('q'), False), (27, False)]
)
def test_a_key_ends_it(screen, key, goes_on):
    screen.key = key
    with Window('people') as window:
        assert window.show(np.zeros((60, 80, 3), np.uint8)) is goes_on


def test_closing_the_window_ends_it(screen):
    with Window('people') as window:
        window.show(np.zeros((60, 80, 3), np.uint8))
        screen.open = 0.0

        assert window.show(np.zeros((60, 80, 3), np.uint8)) is False


def test_the_frame_rate_is_written_from_the_second_frame_on(screen):
    with Window('people') as window:
        for _ in range(2):
            window.show(np.zeros((60, 200, 3), np.uint8))

    assert [image.any() for image in screen.shown] == [False, True]
    assert window.rate > 0


def test_without_a_display_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr('sys.platform', 'linux')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)

    with pytest.raises(UsageError, match=r'no display.*leave out --show'):
        check_display()


def test_an_opencv_without_windows_says_what_to_install(monkeypatch):
    def refuse(*_):
        raise cv2.error('The function is not implemented')

    monkeypatch.setenv('DISPLAY', ':0')
    monkeypatch.setattr(cv2, 'namedWindow', refuse)

    with pytest.raises(UsageError, match='install opencv-python instead'):
        check_display()
