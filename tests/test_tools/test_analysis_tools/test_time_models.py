# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/time_models.py: models in turns on one's own pictures."""

from onestage_pose.engine.cli import UsageError

import cv2
import pytest

from tests.model_factory import make_picture
from tests.test_apis.tiny_model import write_tiny_model
from tests.tool_runs import load_tool

TOOL = 'analysis_tools/time_models'


@pytest.fixture(scope='module')
def tool():
    return load_tool(TOOL)


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp('tiny'))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'notes.txt').write_text('no picture')
    for seed in range(3):
        picture = make_picture(60, 80, seed).permute(1, 2, 0).numpy()
        cv2.imwrite(str(tmp_path / f'{seed}.png'), picture)
    return tmp_path


def test_every_model_gets_a_line_with_its_ratio_to_the_first(
    tool, tiny, folder, monkeypatch, capsys
):
    clock = iter(range(10**6))
    monkeypatch.setattr(tool.time, 'perf_counter', lambda: next(clock) / 1000)
    words = ['--model', *tiny, '--model', *tiny, 'model.test_cfg.flip_test=True']
    tool.main([str(folder), *words, '--num-pictures', '2'])

    first, _, one, other = capsys.readouterr().out.strip().splitlines()[-4:]
    assert first == '2 pictures, 3 turns; medians'
    assert one.split()[:2] == other.split()[:2] == ['1', '1.00']
    assert other.endswith('model.test_cfg.flip_test=True')


def test_settings_change_the_model_that_they_stand_behind(tool, tiny):
    plain, mirrored = (
        tool.read_words([*tiny, *options])
        for options in ([], ['model.test_cfg.flip_test=True'])
    )
    assert not plain.model.test_cfg.flip_test and mirrored.model.test_cfg.flip_test
    assert plain.load_from == tiny[1]


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['a.py', 'b.pth', 'c.pth'], 'a.py b.pth c.pth: give CONFIG CHECKPOINT'),
        (['model.test_cfg.flip_test=True', 'nano'], 'give CONFIG CHECKPOINT'),
        (['nanno'], 'nanno: give a checkpoint beside.*nano'),
    ],
)
def test_a_model_that_is_given_wrongly_is_refused(tool, words, message):
    with pytest.raises(UsageError, match=message):
        tool.read_words(words)


def test_a_broken_picture_is_named(tool, folder):
    (folder / '1.png').write_bytes((folder / '1.png').read_bytes()[:60])
    with pytest.raises(UsageError, match=r'1\.png: this picture cannot be decoded'):
        tool.read_pictures(folder, 3)


def test_a_folder_without_pictures_is_refused(tool, tmp_path):
    with pytest.raises(UsageError, match='holds no picture'):
        tool.read_pictures(tmp_path, 1)
    with pytest.raises(UsageError, match='no folder .*nowhere'):
        tool.read_pictures(tmp_path / 'nowhere', 1)
