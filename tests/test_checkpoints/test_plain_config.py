# Copyright (c) onestage_pose contributors.
"""A config that states values is read, and one that runs something is refused."""

from pathlib import Path

from onestage_pose.checkpoints.plain_config import (
    ConfigTextError,
    parse_plain_config,
)

import pytest
from mmengine.config import Config

CONFIGS = sorted(Path(__file__).parents[2].glob('configs/*/*.py'))


@pytest.mark.parametrize('config', CONFIGS, ids=lambda path: path.stem)
def test_text_that_mmengine_writes_of_a_config_is_read_as_it_was(config: Path) -> None:
    config = Config.fromfile(config)

    assert parse_plain_config(config.pretty_text) == config.to_dict()


@pytest.mark.parametrize(
    'text, values',
    [
        ('', {}),
        ('a = 1', dict(a=1)),
        (
            "a = dict(b=[1, -2.5e-3, None, True], c=('x', ), d={'a-b': {1, 2}})",
            dict(a=dict(b=[1, -2.5e-3, None, True], c=('x',), d={'a-b': {1, 2}})),
        ),
        ('a = dict({7: 1}, b=2)', dict(a={7: 1, 'b': 2})),
        ("'''a note'''", {}),
    ],
)
def test_literals_are_read(text: str, values: dict) -> None:
    assert parse_plain_config(text) == values


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
        'a = dict([(1, 2)])',
        'a = dict(**{})',
        'a = {**{}}',
        'a.b = 1',
        'a, b = 1, 2',
        "a = -'x'",
        'a = {(): 1}',
        'print(1)',
        'a = 1\0',
        '(' * 10000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigTextError):
        parse_plain_config(text)


def test_refusal_names_the_line_and_shows_it() -> None:
    with pytest.raises(ConfigTextError, match='line 2 .* open'):
        parse_plain_config("a = 1\nb = open('x')")
