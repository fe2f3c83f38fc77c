# Copyright (c) onestage_pose contributors.
"""A video is read upright, and one without a frame is named."""

from pathlib import Path
from types import SimpleNamespace

from onestage_pose.apis.video import DEFAULT_FPS, VideoSource
from onestage_pose.utils.errors import VideoError

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.video_files import (
    quarters,
    set_durations,
    time_scale,
    turn_in_header,
    write_video,
)


@pytest.fixture
def film(tmp_path):
    """Three frames of 96x64."""
    return write_video(tmp_path / 'film.mp4', 3 * [quarters()])


def test_gives_its_frames(film):
    frames = list(VideoSource(film))

    assert len(frames) == 3
    assert all(np.abs(quarters() - frame.astype(int)).mean() < 8 for frame in frames)


@pytest.mark.parametrize('make', [str, Path])
def test_says_what_it_is(film, make):
    video = VideoSource(make(film))

    found = video.name, video.path, video.fps, len(video), video.height, video.width
    assert found == ('film.mp4', str(film), 5.0, 3, 64, 96)


@pytest.mark.parametrize('degrees', [0, 90, 180, 270])
def test_a_frame_is_turned_as_the_header_says(film, degrees):
    video = VideoSource(turn_in_header(film, degrees))

    frame = next(iter(video))

    upright = np.rot90(quarters(), -degrees // 90)
    assert (video.height, video.width) == frame.shape[:2] == upright.shape[:2]
    assert np.abs(upright - frame.astype(int)).mean() < 8


def times_of(video):
    return [video.time for _ in video]


def test_a_frame_has_its_time(film):
    assert times_of(VideoSource(film)) == pytest.approx([0, 0.2, 0.4])


def test_times_of_a_variable_rate_are_kept(film):
    unit = time_scale(film)
    set_durations(film, [unit // 10, 3 * unit // 10, unit // 10])

    assert times_of(VideoSource(film)) == pytest.approx([0, 0.1, 0.4])


@pytest.mark.parametrize('told', [0.0, float('nan'), -5.0])
def test_times_that_mean_nothing_follow_the_frame_rate(film, says, told):
    says(cv2.CAP_PROP_POS_MSEC, told)

    assert times_of(VideoSource(film)) == pytest.approx([0, 0.2, 0.4])


def test_a_file_is_not_live(film):
    assert VideoSource(film).is_live is False


def test_counts_what_it_gave(film):
    video = VideoSource(film)
    next(iter(video))

    assert video.num_read == 1
    assert video.frames_missing == (
        f'{film} ends after 1 frame, though it says that it has 3.'
    )


def test_of_a_whole_one_nothing_is_missing(film):
    video = VideoSource(film)
    list(video)

    assert video.frames_missing is None


@pytest.fixture
def says(monkeypatch):
    """Have videos say something else of themselves: ``says(property, value)``."""
    capture = cv2.VideoCapture

    def change(key, value):
        def open_video(source):
            # not a subclass: OpenCV's bindings crash on those
            video = capture(source)
            return SimpleNamespace(
                get=lambda asked: value if asked == key else video.get(asked),
                **{
                    name: getattr(video, name)
                    for name in ('isOpened', 'read', 'release', 'set')
                },
            )

        monkeypatch.setattr(cv2, 'VideoCapture', open_video)

    return change


def test_one_that_ends_early_says_so(film, says):
    says(cv2.CAP_PROP_FRAME_COUNT, 20.0)

    video = VideoSource(film)
    list(video)

    assert video.num_read == 3
    assert 'ends after 3 frames, though it says that it has 20' in video.frames_missing


@pytest.mark.parametrize('fps', [0.0, -1.0, 1e9, float('nan'), float('inf')])
def test_frames_a_second_that_are_none_have_a_default(film, says, fps):
    says(cv2.CAP_PROP_FPS, fps)

    assert VideoSource(film).fps == DEFAULT_FPS


@pytest.mark.parametrize('count', [0.0, -1.0])
def test_a_number_of_frames_that_is_none_is_unknown(film, says, count):
    says(cv2.CAP_PROP_FRAME_COUNT, count)

    video = VideoSource(film)

    assert (video.num_frames, len(list(video)), video.frames_missing) == (None, 3, None)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'is an empty file'),
        (b'not a film', 'cannot be decoded'),
        (b'#EXTM3U\n#EXTINF:5\nother.mp4\n', 'a list of other files'),
        (b'ffconcat version 1.0\nfile other.mp4\n', 'a list of other files'),
    ],
)
def test_a_file_that_is_no_video_is_named(tmp_path, content, message):
    path = tmp_path / 'film.mp4'
    path.write_bytes(content)

    with pytest.raises(VideoError, match=rf'film\.mp4: this .*{message}'):
        VideoSource(path)


def test_a_torn_one_is_named(film):
    # the end of the file holds the table of its frames
    film.write_bytes(film.read_bytes()[:-200])

    with pytest.raises(VideoError, match=r'film\.mp4: this video'):
        VideoSource(film)


def test_one_without_a_frame_is_named(tmp_path):
    film = write_video(tmp_path / 'film.avi', [quarters()], 'MJPG')
    content = film.read_bytes()
    film.write_bytes(content[: content.index(b'movi') + 4])

    with pytest.raises(VideoError, match=r'film\.avi: this video'):
        VideoSource(film)


def test_a_missing_one_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.mp4'):
        VideoSource(tmp_path / 'gone.mp4')


def test_a_name_that_is_not_utf_8_is_named(film):
    # OpenCV ends the process where it is given such a name
    other = film.rename(film.with_name('caf\udce9.mp4'))

    with pytest.raises(VideoError, match='not UTF-8; rename it'):
        VideoSource(other)


@pytest.fixture(scope='module')
def whole_films(tmp_path_factory):
    """The content of a film of three small frames, by its kind."""
    folder = tmp_path_factory.mktemp('films')
    codecs = dict(mp4='mp4v', avi='MJPG')
    return {
        kind: write_video(
            folder / f'film.{kind}', 3 * [quarters(32, 48)], codec
        ).read_bytes()
        for kind, codec in codecs.items()
    }


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    kind=st.sampled_from(['mp4', 'avi']),
    kept=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))),
)
@example(kind='mp4', kept=1.0, flips=[])
@example(kind='avi', kept=0.7, flips=[])
def test_a_damaged_one_gives_frames_or_is_named(
    whole_films, tmp_path_factory, kind, kept, flips
):
    content = bytearray(whole_films[kind])
    content = content[: round(kept * len(content))]
    for place, value in flips if content else ():
        content[int(place * len(content))] = value
    film = tmp_path_factory.getbasetemp() / f'damaged.{kind}'
    film.write_bytes(content)

    try:
        video = VideoSource(film)
    except VideoError as error:
        assert str(error).startswith(f'{film}: this video ')
        return
    frames = list(video)

    assert all(frame.dtype == np.uint8 and frame.ndim == 3 for frame in frames)
    assert len(frames) == 3 or 'ends after' in video.frames_missing
