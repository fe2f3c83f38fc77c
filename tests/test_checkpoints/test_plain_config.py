# Copyright (c) onestage_pose contributors.
"""A config that only states values is told from one that runs something."""

from pathlib import Path

from onestage_pose.checkpoints.plain_config import is_plain_config

import pytest
from mmengine.config import Config

CONFIGS = sorted(Path(__file__).parents[2].glob('configs/*/*.py'))


@pytest.mark.parametrize('config', CONFIGS, ids=lambda path: path.stem)
def test_text_that_mmengine_writes_of_a_config_is_plain(config: Path) -> None:
    assert is_plain_config(Config.fromfile(config).pretty_text)


@pytest.mark.parametrize(
    'text',
    [
        '',
        'a = 1',
        "a = dict(b=[1, -2.5e-3, None, True], c=('x', ), d={'a-b': {1, 2}})",
        "'''a note'''",
    ],
)
def test_literals_are_plain(text: str) -> None:
    assert is_plain_config(text)


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        'from os import system',
        "a = __import__('os')",
        "a = open('x', 'w')",
        'a = (1).__class__',
        "a = f'{1}'",
        'a = [x for x in (1,)]',
        'a = lambda: 1',
        "_base_ = './other.py'",
        "a = '{{ fileDirname }}'",
        "a = '{{$HOME:x}}'",
        'dict = print\na = dict(1)',
        'a = dict(b=dict(c=print(1)))',
        'a = 9 ** 9 ** 9',
        'def f(): pass',
        'a = dict(',
        'a = 1\0',
        '(' * 10000,
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_plain_config(text)
