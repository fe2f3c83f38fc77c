# Copyright (c) onestage_pose contributors.
"""A published checkpoint holds weights and a skeleton; other files are named."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tool_runs import load_tool

WEIGHTS = dict(weight=torch.arange(3.0))


class Program:
    """Pickles as a call, which a plain unpickler makes when it loads it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def publish(checkpoint: Any) -> dict:
        torch.save(checkpoint, tmp_path / 'iter_1.pth')
        words = [str(tmp_path / 'iter_1.pth'), str(tmp_path / 'published.pth')]
        monkeypatch.setattr(sys, 'argv', ['publish_model.py', *words])
        load_tool('model_converters/publish_model').main()
        return torch.load(tmp_path / 'published.pth')

    return publish


def test_config_and_optimizer_are_left_out(publish: Any) -> None:
    meta = dict(dataset_meta=dict(num_keypoints=17), cfg='a = 1', iter=3)

    published = publish(dict(state_dict=WEIGHTS, meta=meta, optimizer={}))

    assert set(published) == {'meta', 'state_dict'}
    assert published['meta'] == dict(dataset_meta=dict(num_keypoints=17), iter=3)


@pytest.mark.parametrize('meta', [{}, dict(meta=None), dict(meta={})])
def test_checkpoint_without_meta_is_published(publish: Any, meta: dict) -> None:
    published = publish(dict(state_dict=WEIGHTS, **meta))

    assert published['meta'] == {}
    assert torch.equal(published['state_dict']['weight'], WEIGHTS['weight'])


@pytest.mark.parametrize(
    'checkpoint, message',
    [
        (dict(meta={}), "iter_1.pth has no weights in 'state_dict'"),
        (dict(state_dict={}), "iter_1.pth has no weights in 'state_dict'"),
        ([1], "iter_1.pth has no weights in 'state_dict'"),
        (dict(state_dict=dict(weight=3)), 'iter_1.pth: weight in it is not a tensor'),
        (
            dict(state_dict=WEIGHTS, meta=dict(dataset_meta=dict(from_file='a.py'))),
            'iter_1.pth: its dataset_meta does not describe keypoints',
        ),
    ],
    ids=str,
)
def test_another_file_is_named(
    publish: Any, tmp_path: Path, checkpoint: Any, message: str
) -> None:
    with pytest.raises(SystemExit, match=message):
        publish(checkpoint)

    assert not (tmp_path / 'published.pth').exists()


def test_program_is_refused(publish: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match='iter_1.pth was not loaded.*mkdir'):
        publish(dict(state_dict=WEIGHTS, meta=Program(tmp_path / 'ran')))

    assert not (tmp_path / 'ran').exists()
