# Copyright (c) onestage_pose contributors.
"""A drawn video is whole or not there."""

import os
import subprocess
import sys

from onestage_pose.utils.errors import OutputError
from onestage_pose.visualization.video_file import VideoFile, check_video, name_part

import cv2
import numpy as np
import pytest

from tests.faults import fault_of
from tests.small_disk import small_disk
from tests.video_files import quarters


def noise(seed, shape=(64, 96, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def write(path, frames):
    with VideoFile(path, 5.0) as video:
        for frame in frames:
            video.write(frame)
    return path


def test_holds_every_frame(tmp_path):
    path = write(tmp_path / 'film.mp4', 3 * [quarters()])

    check_video(path, 3)
    with pytest.raises(OutputError, match='4 frames .* holds 3'):
        check_video(path, 4)


def test_leaves_nothing_else(tmp_path):
    write(tmp_path / 'film.mp4', 3 * [quarters()])

    assert [path.name for path in tmp_path.iterdir()] == ['film.mp4']


def test_a_frame_of_another_size_is_kept(tmp_path):
    path = write(tmp_path / 'film.mp4', [quarters(), quarters(32, 48), quarters()])

    assert fault_of(check_video, path, 3) is None


def test_on_a_full_disk_is_an_error_and_leaves_what_was_there(tmp_path):
    path = tmp_path / 'film.mp4'
    path.write_bytes(b'an earlier film')

    with (
        pytest.raises(OutputError, match=r'film\.mp4: 40 frames .* holds \d'),
        small_disk(20_000),
    ):
        write(path, map(noise, range(40)))

    assert path.read_bytes() == b'an earlier film'
    assert [path.name for path in tmp_path.iterdir()] == ['film.mp4']


def end_process():
    """Returns the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, '-c', ''])
    process.wait()
    return process.pid


def test_what_killed_processes_left_of_the_video_is_removed(tmp_path):
    path = tmp_path / 'film.mp4'
    name_part(path, end_process()).write_bytes(b'half a film')

    write(path, [quarters()])

    assert [each.name for each in tmp_path.iterdir()] == ['film.mp4']


def test_what_may_be_needed_is_not_removed(tmp_path):
    """Parts of processes that run, of other videos, and files that others named."""
    path, ended = tmp_path / 'film.mp4', end_process()
    kept = {
        name_part(path, os.getppid()),
        name_part(tmp_path / 'other.mp4', ended),
        path.with_name(f'.{ended}.part.mp4'),
        path.with_name('.film.part.mp4'),
    }
    for each in kept:
        each.write_bytes(b'half a film')

    write(path, [quarters()])

    assert set(tmp_path.iterdir()) == {path, *kept}


def test_an_error_on_the_way_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), VideoFile(tmp_path / 'a.mp4', 5.0) as video:
        video.write(quarters())
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def interrupt(video):
    with pytest.raises(KeyboardInterrupt), video:
        video.write(quarters())
        raise KeyboardInterrupt


def test_what_was_drawn_of_an_endless_source_before_ctrl_c_is_kept(tmp_path):
    interrupt(VideoFile(tmp_path / 'a.mp4', 5.0, keep_interrupted=True))

    check_video(tmp_path / 'a.mp4', 1)


def test_a_part_of_a_video_does_not_get_its_name_by_ctrl_c(tmp_path):
    interrupt(VideoFile(tmp_path / 'a.mp4', 5.0))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('folder', ['gone', 'caf\udce9'])
def test_a_place_that_opencv_cannot_write_to_is_named(tmp_path, folder):
    with pytest.raises(OutputError, match=f'{folder}/a.mp4'):
        write(tmp_path / folder / 'a.mp4', [quarters()])


def test_a_name_of_255_bytes_is_written(tmp_path):
    path = tmp_path / f'{251 * "a"}.mp4'

    write(path, [quarters()])

    assert cv2.VideoCapture(str(path)).read()[0]


def test_what_cannot_be_read_again_is_an_error(tmp_path):
    with pytest.raises(OutputError, match=r'it\.mp4: 2 frames .* holds 0'):
        with VideoFile(tmp_path / 'it.mp4', 5) as video:
            video.write(quarters())
            # as a full disk leaves it
            video._writer.release()
            video._part.write_bytes(b'')
            video.num_frames = 2

    assert not (tmp_path / 'it.mp4').exists()


def test_a_kind_that_opencv_cannot_write_is_named(tmp_path):
    with pytest.raises(OutputError, match=r'it\.xyz: OpenCV cannot write'):
        with VideoFile(tmp_path / 'it.xyz', 5) as video:
            video.write(quarters())
