# Copyright (c) onestage_pose contributors.
"""tools/analysis_tools/time_models.py: models in turns on one's own images."""

import re
from types import SimpleNamespace

from onestage_pose.utils.errors import UsageError

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

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
    (tmp_path / 'notes.txt').write_text('no image')
    for seed in range(3):
        picture = make_picture(60, 80, seed).permute(1, 2, 0).numpy()
        cv2.imwrite(str(tmp_path / f'{seed}.png'), picture)
    return tmp_path


def test_every_model_gets_a_line_with_its_ratio_to_the_first(
    tool, tiny, folder, monkeypatch, capsys
):
    clock = iter(range(10**6))
    monkeypatch.setattr(tool, 'timer', lambda: next(clock) / 1000)
    words = ['--model', *tiny, '--model', *tiny, 'model.test_cfg.flip_test=True']
    tool.main([str(folder), *words, '--num-images', '2'])

    out = capsys.readouterr().out
    start = out.index('2 images')
    first, _, _, _, one, other, *_ = out[start:].splitlines()
    assert first == '2 images, 3 turns; medians'
    one, other = ([cell.strip() for cell in row.split('|')] for row in (one, other))
    assert one[1:3] == other[1:3] == ['1', '1.00']
    assert other[3].endswith('model.test_cfg.flip_test=True')


def make_people(*boxes, shift=0.0, scores=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return InstanceData(
        bboxes=boxes,
        bbox_scores=np.full(len(boxes), 0.9) if scores is None else np.array(scores),
        keypoints=np.stack((boxes[:, :2], boxes[:, 2:]), 1) + [shift, 0],
        keypoint_scores=np.tile([0.9, 0.2], (len(boxes), 1)),
    )


LEFT, RIGHT, NEAR_RIGHT = [0, 0, 10, 20], [50, 0, 60, 20], [50, 0, 60, 24]


def test_keypoints_of_the_same_people_are_compared(tool):
    expected = [make_people(LEFT, RIGHT), make_people(LEFT, scores=[0.2])]
    found = [make_people(NEAR_RIGHT, LEFT, shift=3.0), make_people(LEFT)]
    total, again, distances = tool.compare(expected, found)
    assert (total, again) == (2, 2)
    # of each the keypoint that is confident
    assert distances.tolist() == [3.0, 3.0]


def test_people_who_are_not_found_are_told(tool):
    expected = [make_people(LEFT, RIGHT), make_people(LEFT), make_people()]
    found = [make_people(RIGHT), make_people(), make_people(LEFT)]
    total, again, distances = tool.compare(expected, found)
    assert (total, again) == (3, 1) and distances.tolist() == [0.0]
    total, again, distances = tool.compare(expected[1:], found[1:])
    assert (total, again, len(distances)) == (1, 0, 0)


def test_the_same_model_finds_the_same_people(tool, tiny, folder, capsys):
    tool.main([str(folder), '--model', *tiny, '--model', *tiny, '--repeat', '1'])
    out = capsys.readouterr().out
    assert re.search(r"(\d+) of the first model's \1 people", out)


@pytest.mark.parametrize('names', [['nose'], ['eye', 'nose'], ['nose', 'ear']])
def test_models_of_other_keypoints_are_not_compared(tool, names):
    def model(names):
        meta = dict(keypoint_id2name=dict(enumerate(names)))
        head = SimpleNamespace(num_keypoints=len(names))
        return SimpleNamespace(dataset_meta=meta, roi_head=head)

    get_names = tool.get_keypoint_names
    assert get_names(model(names)) != get_names(model(['nose', 'eye']))
    assert get_names(model(names)) == get_names(model(names))


@pytest.mark.parametrize('option', ['--repeat', '--num-images', '--num-pictures'])
def test_a_number_of_none_is_refused(tool, capsys, option):
    with pytest.raises(SystemExit):
        tool.parse_args(['.', '--model', 'nano', option, '0'])
    assert '0 is given, 1 or more is needed' in capsys.readouterr().err


def test_settings_change_the_model_that_they_stand_behind(tool, tiny):
    plain, mirrored = (
        tool.load_model([*tiny, *options])
        for options in ([], ['model.test_cfg.flip_test=True'])
    )
    assert not plain.test_cfg.flip_test and mirrored.test_cfg.flip_test


def test_a_model_has_the_weights_of_its_checkpoint(tool, tiny):
    expected = torch.load(tiny[1], weights_only=False)['state_dict']
    state = tool.load_model([*tiny]).state_dict()
    assert all(torch.equal(state[name].cpu(), expected[name]) for name in expected)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['a.py', 'b.pth', 'c.pth'], 'a.py b.pth c.pth: give CONFIG CHECKPOINT'),
        (['model.test_cfg.flip_test=True', 'nano'], 'give CONFIG CHECKPOINT'),
        (['nanno'], 'nanno: give a config with its checkpoint, or the name.*nano'),
    ],
)
def test_a_model_that_is_given_wrongly_is_refused(tool, words, message):
    with pytest.raises(UsageError, match=message):
        tool.load_model(words)


def test_a_broken_image_is_named(tool, folder):
    (folder / '1.png').write_bytes((folder / '1.png').read_bytes()[:60])
    with pytest.raises(UsageError, match=r'1\.png: this image cannot be decoded'):
        tool.load_images(folder, 3)


def test_a_folder_without_images_is_refused(tool, tmp_path):
    with pytest.raises(UsageError, match='holds no image'):
        tool.load_images(tmp_path, 1)
    with pytest.raises(UsageError, match='no folder or file .*nowhere'):
        tool.load_images(tmp_path / 'nowhere', 1)
