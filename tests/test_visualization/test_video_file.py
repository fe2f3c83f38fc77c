# Copyright (c) onestage_pose contributors.
"""A video is there whole or not at all."""

from onestage_pose.utils.errors import OutputError
from onestage_pose.visualization.video_file import VideoFile

import cv2
import numpy as np
import pytest


def frame(height=48, width=64):
    return np.zeros((height, width, 3), np.uint8)


def test_holds_the_frames(tmp_path):
    with VideoFile(tmp_path / 'it.mp4', 5) as video:
        for _ in range(3):
            video.write(frame())

    written = cv2.VideoCapture(str(tmp_path / 'it.mp4'))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert written.get(cv2.CAP_PROP_FPS) == 5
    assert [path.name for path in tmp_path.iterdir()] == ['it.mp4']


def test_a_frame_of_another_size_is_not_lost(tmp_path):
    with VideoFile(tmp_path / 'it.mp4', 5) as video:
        video.write(frame())
        video.write(frame(96, 128))

    written = cv2.VideoCapture(str(tmp_path / 'it.mp4'))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 2


def test_an_error_leaves_what_was_there_before(tmp_path):
    (tmp_path / 'it.mp4').write_text('before')

    with pytest.raises(ValueError, match='while drawing'):
        with VideoFile(tmp_path / 'it.mp4', 5) as video:
            video.write(frame())
            raise ValueError('while drawing')

    assert (tmp_path / 'it.mp4').read_text() == 'before'
    assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_read_again_is_an_error(tmp_path):
    with pytest.raises(OutputError, match=r'it\.mp4: 2 frames .* holds 0'):
        with VideoFile(tmp_path / 'it.mp4', 5) as video:
            video.write(frame())
            # as a full disk leaves it
            video._writer.release()
            video._part.write_bytes(b'')
            video.num_frames = 2

    assert not (tmp_path / 'it.mp4').exists()


def test_a_kind_that_opencv_cannot_write_is_named(tmp_path):
    with pytest.raises(OutputError, match=r'it\.xyz: OpenCV cannot write'):
        with VideoFile(tmp_path / 'it.xyz', 5) as video:
            video.write(frame())
