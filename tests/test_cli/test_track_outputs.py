# Copyright (c) onestage_pose contributors.
"""What would overwrite an interrupted run, or cannot be written, is said at once."""

from onestage_pose.cli.parsers import add_track_arguments, parse
from onestage_pose.cli.track_outputs import check_track_outputs
from onestage_pose.utils.errors import UsageError

import pytest


def check(*words):
    check_track_outputs(parse(add_track_arguments, ['film.mp4', *words]))


@pytest.mark.parametrize(
    ('state', 'saved'),
    [('{"num_frames": 150}', r' \(150 frames saved\)'), ('', '')],
    ids=['saved', 'broken'],
)
def test_an_interrupted_run_is_told_before_the_video_that_exists(
    tmp_path, monkeypatch, state, saved
):
    monkeypatch.chdir(tmp_path)
    for name in ('o.mp4', 't.jsonl', 't.jsonl.state'):
        (tmp_path / name).write_text(state)

    told = (
        f'interrupted run{saved} is here, t.jsonl.state: --resume continues .*--force'
    )
    with pytest.raises(UsageError, match=told):
        check('--out', 'o.mp4', '--json', 't.jsonl')


@pytest.mark.parametrize('option', ['--resume', '--force'])
def test_either_remedy_passes(tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    names = {'o.mp4', 't.jsonl', 't.jsonl.state'}
    for name in names:
        (tmp_path / name).write_text('saved')

    check('--out', 'o.mp4', '--json', 't.jsonl', option)

    # and nothing is lost before the run starts
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all((tmp_path / name).read_text() == 'saved' for name in names)


def test_a_complete_file_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 't.jsonl').write_text('')

    with pytest.raises(UsageError, match='--json t.jsonl exists: --force'):
        check('--json', 't.jsonl')
