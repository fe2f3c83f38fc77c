# Copyright (c) onestage_pose contributors.
"""A line a frame, whole lines only, and a killed run goes on with what is there."""

import json
from dataclasses import replace

from onestage_pose.tracking import lines as module
from onestage_pose.tracking.lines import TrackLines, from_record, to_record
from onestage_pose.utils.errors import OutputError, UsageError

import numpy as np
import pytest

from tests.test_tracking.conftest import META, NAMES, make_frame

SETTINGS = dict(video='film.mp4', smooth=1.0, tiles=(3, 2))


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(module, 'STATE_INTERVAL', 4)


def frame(n, people=2):
    found = make_frame(n / 30, [(100 + n, 100, 0.7), (300, 100, 0.6)][:people], frame=n)
    return replace(found, ids=np.arange(1, people + 1))


def write(path, begin, end, **options):
    """Writes the lines of frames; the state is how many frames there were."""
    with TrackLines(path, SETTINGS, **options) as lines:
        for n in range(begin, end):
            lines.write(frame(n), lambda: dict(seen=n + 1))  # noqa: B023
        lines.finish()


def interrupt(path, frames):
    """Leaves what a run that is killed after some frames leaves."""
    lines = TrackLines(path, SETTINGS)
    lines.__enter__()
    for n in range(frames):
        lines.write(frame(n), lambda: dict(seen=n + 1))  # noqa: B023
    lines._file.close()


def test_what_a_line_holds():
    record = json.loads(json.dumps(to_record(frame(12))))

    assert list(record) == ['frame', 'time', 'people']
    assert (record['frame'], record['time']) == (12, 0.4)
    first, second = record['people']
    assert list(first) == ['id', 'score', 'box', 'keypoints']
    assert (second['id'], second['score'], second['box']) == (
        2,
        0.6,
        [280, 50, 320, 150],
    )
    assert np.shape(first['keypoints']) == (17, 3)


@pytest.mark.parametrize('people', [0, 2])
def test_a_line_gives_the_result_back(people):
    result = frame(3, people)
    result.keypoint_presence = np.full((people, 17), 0.5, np.float32)

    back = from_record(
        json.loads(json.dumps(to_record(result))),
        names=NAMES,
        shape=result.shape,
        dataset_meta=META,
    )

    assert back.ids.tolist() == result.ids.tolist()
    assert back.boxes.shape == (people, 4)
    assert back.keypoints == pytest.approx(result.keypoints, abs=0.006)
    assert not people or (back.keypoint_presence == 0.5).all()


def test_each_line_is_in_the_file_once_its_frame_is_done(tmp_path):
    path = tmp_path / 'tracks.jsonl'
    with TrackLines(path, SETTINGS) as lines:
        lines.write(frame(0), dict)

        assert json.loads(path.read_text())['frame'] == 0


def test_a_file_that_is_done_is_all_that_is_left(tmp_path):
    write(tmp_path / 'tracks.jsonl', 0, 9)

    assert [path.name for path in tmp_path.iterdir()] == ['tracks.jsonl']


@pytest.mark.parametrize('torn', ['', '{"frame": 7, "ti', '{"frame": 7}\n{"fr'])
@pytest.mark.parametrize(('done', 'kept'), [(0, 0), (3, 0), (4, 4), (7, 4), (8, 8)])
def test_a_killed_run_goes_on_from_the_last_state(tmp_path, done, kept, torn):
    """Also when it is killed in the middle of a line."""
    whole, path = tmp_path / 'whole.jsonl', tmp_path / 'tracks.jsonl'
    write(whole, 0, 10)
    interrupt(path, done)
    with path.open('a') as file:
        file.write(torn)

    lines = TrackLines(path, SETTINGS, resume=True)
    records = list(lines.records())
    write(path, lines.num_frames, 10, resume=True)

    assert (lines.num_frames, lines.state) == (kept, dict(seen=kept) if kept else None)
    assert [record['frame'] for record in records] == list(range(kept))
    assert path.read_bytes() == whole.read_bytes()
    assert not (tmp_path / 'tracks.jsonl.state').exists()


@pytest.mark.parametrize('done', [1, 4, 5])
def test_a_run_that_is_stopped_goes_on_from_its_last_line(tmp_path, done):
    path = tmp_path / 'tracks.jsonl'
    with pytest.raises(KeyboardInterrupt), TrackLines(path, SETTINGS) as stopped:
        for n in range(done):
            stopped.write(frame(n), lambda: dict(seen=n + 1))  # noqa: B023
        raise KeyboardInterrupt

    lines = TrackLines(path, SETTINGS, resume=True)
    assert (lines.num_frames, lines.state) == (done, dict(seen=done))
    assert stopped.num_saved == lines.num_saved == done


def test_a_run_that_is_stopped_before_a_new_line_keeps_what_is_saved(tmp_path):
    path = tmp_path / 'tracks.jsonl'
    interrupt(path, 4)
    with pytest.raises(KeyboardInterrupt):
        with TrackLines(path, SETTINGS, resume=True) as stopped:
            raise KeyboardInterrupt

    lines = TrackLines(path, SETTINGS, resume=True)
    assert (stopped.num_saved, lines.num_saved, lines.state) == (4, 4, dict(seen=4))


def test_what_cannot_be_read_again_leaves_no_state(tmp_path):
    path = tmp_path / 'tracks.jsonl'
    with pytest.raises(KeyboardInterrupt), TrackLines(path, None) as lines:
        for n in range(5):
            lines.write(frame(n), dict)
        raise KeyboardInterrupt

    assert [each.name for each in tmp_path.iterdir()] == ['tracks.jsonl']
    assert len(path.read_text().splitlines()) == 5


def test_resuming_nothing_starts(tmp_path):
    write(tmp_path / 'tracks.jsonl', 0, 2, resume=True)

    assert len((tmp_path / 'tracks.jsonl').read_text().splitlines()) == 2


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    path = tmp_path / 'tracks.jsonl'
    path.write_text('something else\n')

    with pytest.raises(UsageError, match='exists: --force'):
        TrackLines(path, SETTINGS)
    write(path, 0, 1, force=True)
    assert len(path.read_text().splitlines()) == 1


def test_an_interrupted_run_is_not_written_over(tmp_path):
    interrupt(tmp_path / 'tracks.jsonl', 5)

    with pytest.raises(UsageError, match='--resume continues'):
        TrackLines(tmp_path / 'tracks.jsonl', SETTINGS)


def test_a_complete_file_has_nothing_to_resume(tmp_path):
    write(tmp_path / 'tracks.jsonl', 0, 9)

    with pytest.raises(UsageError, match='nothing to resume'):
        TrackLines(tmp_path / 'tracks.jsonl', SETTINGS, resume=True)


@pytest.mark.parametrize(
    ('name', 'value'), [('video', 'other.mp4'), ('smooth', 0), ('tiles', None)]
)
def test_a_run_goes_on_with_the_same_settings_only(tmp_path, name, value):
    interrupt(tmp_path / 'tracks.jsonl', 5)

    with pytest.raises(UsageError, match=f'was started with {name}='):
        TrackLines(tmp_path / 'tracks.jsonl', {**SETTINGS, name: value}, resume=True)


@pytest.mark.parametrize('content', ['', '[]', '{"size": 3}', 'no JSON'])
def test_a_broken_state_is_named(tmp_path, content):
    interrupt(tmp_path / 'tracks.jsonl', 5)
    (tmp_path / 'tracks.jsonl.state').write_text(content)

    with pytest.raises(UsageError, match=r'tracks.jsonl.state cannot be read'):
        TrackLines(tmp_path / 'tracks.jsonl', SETTINGS, resume=True)


def test_lines_that_were_lost_are_named(tmp_path):
    interrupt(tmp_path / 'tracks.jsonl', 5)
    (tmp_path / 'tracks.jsonl').write_text('')

    with pytest.raises(UsageError, match='is shorter than it was'):
        TrackLines(tmp_path / 'tracks.jsonl', SETTINGS, resume=True)


def test_a_full_disk_is_named():
    with pytest.raises(OutputError, match='/dev/full could not be written'):
        with TrackLines('/dev/full', SETTINGS, force=True) as lines:
            lines.write(frame(0), dict)
