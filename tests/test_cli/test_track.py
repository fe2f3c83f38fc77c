# Copyright (c) onestage_pose contributors.
"""``onestage-pose track``: the real model follows people through a short video."""

import json
from pathlib import Path

from onestage_pose.apis import PosePredictor
from onestage_pose.apis.result import PoseResult
from onestage_pose.apis.video import VideoSource
from onestage_pose.cli import track
from onestage_pose.cli.parsers import add_track_arguments, parse
from onestage_pose.cli.track_outputs import check_track_outputs
from onestage_pose.tracking import lines as lines_module
from onestage_pose.tracking.window import Window
from onestage_pose.utils.errors import RunInterruptedError, UsageError

import cv2
import numpy as np
import pytest
from matplotlib import cbook

from tests.video_files import set_durations, time_scale, write_video

FRAMES = 6


@pytest.fixture(scope='module', autouse=True)
def nano():
    pytest.importorskip('lap', reason='tracking takes lap (the extra "track")')
    return PosePredictor('nano')


@pytest.fixture(autouse=True)
def _one_model(monkeypatch, nano):
    monkeypatch.setattr(track, 'build_predictor', lambda args: nano)


@pytest.fixture(scope='module')
def pan(tmp_path_factory):
    """A view of 240x160 that moves over two people, side by side."""
    photo = cv2.imread(str(cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)))
    both = cv2.resize(np.hstack([photo, photo[:, ::-1]]), (300, 176))
    views = [both[n : n + 160, 6 * n : 6 * n + 240] for n in range(FRAMES)]
    return write_video(tmp_path_factory.mktemp('pan') / 'pan.mp4', views)


def run(*words):
    args = parse(add_track_arguments, [str(word) for word in words])
    check_track_outputs(args)
    track.run(args)


@pytest.fixture(scope='module')
def tracked(pan, nano, tmp_path_factory):
    """The folder of what the whole run has written."""
    folder = tmp_path_factory.mktemp('tracked')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track, 'build_predictor', lambda args: nano)
        run(pan, '--out', folder / 'out.mp4', '--json', folder / 'tracks.jsonl')
    return folder


@pytest.fixture(scope='module')
def records(tracked):
    text = (tracked / 'tracks.jsonl').read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_people_keep_their_numbers_over_a_pan(records):
    assert [[each['id'] for each in r['people']] for r in records] == FRAMES * [[1, 2]]


def test_the_same_number_is_the_same_person(records):
    """Both faces move to the left by six pixels a frame, and change no places."""
    faces = np.array(
        [
            [np.mean(each['keypoints'][:3], axis=0)[0] for each in record['people']]
            for record in records
        ]
    )

    assert np.abs(np.diff(faces, axis=0) + 6).max() < 4
    assert np.ptp(faces[:, 1] - faces[:, 0]) < 6


def test_a_line_a_frame_with_its_time(records):
    assert [record['frame'] for record in records] == list(range(FRAMES))
    assert [r['time'] for r in records] == pytest.approx(np.arange(FRAMES) / 5)
    assert {key for r in records for each in r['people'] for key in each} == {
        'id',
        'score',
        'box',
        'keypoints',
        'keypoint_presence',
        'keypoints_visible',
    }


def test_the_drawn_video_has_every_frame(pan, tracked):
    drawn, source = VideoSource(tracked / 'out.mp4'), VideoSource(pan)

    assert (drawn.height, drawn.width, drawn.fps) == (160, 240, 5.0)
    both = list(zip(drawn, source, strict=True))
    assert all(not np.allclose(one, other, atol=40) for one, other in both)


def test_a_run_that_is_killed_in_a_line_goes_on_as_if_nothing_had_been(
    pan, tracked, tmp_path, monkeypatch
):
    monkeypatch.setattr(lines_module, 'STATE_INTERVAL', 2)
    out, path = tmp_path / 'out.mp4', tmp_path / 'tracks.jsonl'
    write = lines_module.TrackLines.write

    def die(self, result, state):
        if result.frame == 3:
            raise SystemError('killed')
        write(self, result, state)

    with monkeypatch.context() as patch:
        patch.setattr(lines_module.TrackLines, 'write', die)
        with pytest.raises(SystemError):
            run(pan, '--out', out, '--json', path)
    with path.open('a') as file:
        file.write('{"frame": 3, "ti')
    assert not out.exists()

    run(pan, '--out', out, '--json', path, '--resume')

    assert path.read_bytes() == (tracked / 'tracks.jsonl').read_bytes()
    assert len(list(VideoSource(out))) == FRAMES
    assert sorted(each.name for each in tmp_path.iterdir()) == ['out.mp4', path.name]


def test_ctrl_c_while_a_frame_is_drawn_leaves_what_resume_continues(
    pan, tracked, tmp_path, monkeypatch
):
    words = pan, '--out', tmp_path / 'out.mp4', '--json', tmp_path / 'tracks.jsonl'
    plot = PoseResult.plot

    def interrupt(self, **options):
        if self.frame == 3:
            raise KeyboardInterrupt
        return plot(self, **options)

    with monkeypatch.context() as patch:
        patch.setattr(PoseResult, 'plot', interrupt)
        with pytest.raises(
            RunInterruptedError,
            match='^Interrupted: 4 frames saved; --resume continues.$',
        ):
            run(*words)
    assert {path.name for path in tmp_path.iterdir()} == {
        'tracks.jsonl',
        'tracks.jsonl.state',
    }

    run(*words, '--resume')

    whole = (tracked / 'tracks.jsonl').read_bytes()
    assert (tmp_path / 'tracks.jsonl').read_bytes() == whole


def test_a_run_that_its_window_ends_can_go_on(pan, tmp_path, monkeypatch):
    monkeypatch.setattr(track, 'check_display', lambda: None)
    monkeypatch.setattr(Window, '__enter__', lambda self: self)
    monkeypatch.setattr(Window, '__exit__', lambda *_: None)
    monkeypatch.setattr(Window, 'show', lambda *_: False)

    run(pan, '--show', '--json', tmp_path / 'tracks.jsonl')

    assert len((tmp_path / 'tracks.jsonl').read_text().splitlines()) == 1
    assert (tmp_path / 'tracks.jsonl.state').exists()


def test_times_of_a_variable_rate_are_in_the_lines(pan, tmp_path):
    film = tmp_path / 'film.mp4'
    film.write_bytes(pan.read_bytes())
    unit = time_scale(film)
    set_durations(film, [unit // 10, unit // 2, *(FRAMES - 2) * [unit // 10]])

    run(film, '--json', tmp_path / 'tracks.jsonl', '--out', tmp_path / 'out.mp4')

    lines = (tmp_path / 'tracks.jsonl').read_text().splitlines()
    times = [json.loads(line)['time'] for line in lines]
    assert times == pytest.approx([0, 0.1, 0.6, 0.7, 0.8, 0.9])
    assert json.loads(lines[-1])['people'][0]['id'] == 1


def test_tiles_find_the_same_people(pan, tmp_path):
    film = write_video(tmp_path / 'film.mp4', [next(iter(VideoSource(pan)))])

    run(film, '--json', tmp_path / 'tracks.jsonl', '--tiles', '2x1', '--smooth', '0')

    first = json.loads((tmp_path / 'tracks.jsonl').read_text().splitlines()[0])
    assert [each['id'] for each in first['people']] == [1, 2]


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'nothing to do: give --out, --json or --show'),
        (['--out', 'out.avi'], 'ends in .mp4'),
        (['--out', 'out.mp4', '--resume'], '--resume continues the --json file'),
        (['--json', 'PAN'], 'is the input'),
        (['--json', 'FOLDER'], 'is a folder'),
        (['--out', 'THERE.mp4'], 'exists: --force'),
    ],
)
def test_outputs_that_cannot_be_are_refused_first(
    pan, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    Path('THERE.mp4').write_text('')
    names = {'PAN': pan, 'FOLDER': tmp_path}

    with pytest.raises(UsageError, match=message):
        run(pan, *(names.get(word, word) for word in words))


def test_an_image_is_sent_to_predict(tmp_path):
    cv2.imwrite(str(tmp_path / 'image.jpg'), np.zeros((8, 8, 3), np.uint8))

    with pytest.raises(UsageError, match='onestage-pose predict'):
        run(tmp_path / 'image.jpg', '--json', tmp_path / 'tracks.jsonl')


def test_a_window_without_a_display_is_refused_first(pan, monkeypatch):
    monkeypatch.setattr('sys.platform', 'linux')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)

    with pytest.raises(UsageError, match='no display'):
        run(pan, '--show')
