# Copyright (c) onestage_pose contributors.
"""A drawn video keeps the pace of its source."""

from onestage_pose.apis.video import VideoSource
from onestage_pose.tracking import track_video
from onestage_pose.tracking.video import LONGEST_FRAME, PacedVideo
from onestage_pose.utils.errors import UsageError

import numpy as np
import pytest


def shades(path):
    """The brightness of each frame, to the next ten."""
    return [int(round(frame.mean() / 10) * 10) for frame in VideoSource(path)]


@pytest.mark.parametrize(
    ('times', 'expected'),
    [
        ([0, 0.1, 0.2], [10, 60, 110]),
        ([0, 0.101, 0.199], [10, 60, 110]),
        ([0, 0.3, 0.4], [10, 10, 10, 60, 110]),
        ([0, 0.02, 0.1], [60, 110]),
    ],
    ids=['steady', 'nearly steady', 'a pause', 'faster than the file'],
)
def test_a_frame_is_shown_until_the_next_one(tmp_path, times, expected):
    with PacedVideo(tmp_path / 'out.mp4', fps=10) as video:
        for n, time in enumerate(times):
            video.write(np.full((64, 64, 3), 10 + 50 * n, np.uint8), time)

    assert shades(tmp_path / 'out.mp4') == expected


def test_a_clock_that_jumps_fills_no_disk(tmp_path):
    frame = np.zeros((32, 32, 3), np.uint8)
    with PacedVideo(tmp_path / 'out.mp4', fps=2) as video:
        for time in (0, 1e9, 1e9 + 0.5):
            video.write(frame, time)

    assert len(shades(tmp_path / 'out.mp4')) == 2 * LONGEST_FRAME + 2


def test_an_error_leaves_no_video(tmp_path):
    with pytest.raises(RuntimeError), PacedVideo(tmp_path / 'out.mp4', 5) as video:
        video.write(np.zeros((32, 32, 3), np.uint8), 0)
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


def test_images_are_no_video():
    with pytest.raises(UsageError, match='needs a video'):
        track_video(None, np.zeros((8, 8, 3), np.uint8))
