# Copyright (c) onestage_pose contributors.
"""``onestage-pose`` starts at once, and hands what is typed to its commands."""

import argparse
import ast
import re
import subprocess
import sys
from importlib import import_module

from onestage_pose.cli.main import COMMANDS, main
from onestage_pose.utils.errors import UsageError

import pytest

from tests.tool_runs import REPOSITORY

CONFIG = str(REPOSITORY / 'configs/_base_/default_runtime.py')
HEAVY = ('cv2', 'matplotlib', 'mmengine', 'numpy', 'torch')


@pytest.mark.parametrize(
    'words',
    [
        ['--help'],
        ['train', '--help'],
        ['nonsense'],
        ['predict', 'nosuch.jpg'],
        ['export', 'nosuch.py', 'nosuch.pth', 'out.onnx'],
    ],
)
def test_help_and_mistakes_are_answered_without_heavy_imports(words):
    program = (
        'import sys\n'
        'from onestage_pose.cli.main import main\n'
        'try:\n'
        f'    main({words})\n'
        'except SystemExit:\n'
        '    pass\n'
        f'print(*(name for name in {HEAVY} if name in sys.modules))\n'
    )

    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == ''


def test_the_package_is_the_command():
    done = subprocess.run(
        [sys.executable, '-m', 'onestage_pose', '--version'],
        capture_output=True,
        text=True,
    )

    assert done.stdout.startswith('onestage_pose ')


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(['--help'])

    told = capsys.readouterr().out
    assert all(re.search(rf'\n    {name}[ \n]', told) for name in COMMANDS)


def test_a_misspelt_command_suggests_the_likely_one(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(['finetun', 'DATA'])

    assert exit_.value.code == 2
    told = capsys.readouterr().err
    assert "there is no command 'finetun'. Did you mean finetune?" in told


def test_an_abbreviated_option_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(['predict', 'images', '--batch', '4'])

    assert 'unrecognized arguments: --batch 4' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        ('predict images --thresh 0.5', r'predict: error: .* mean --bbox-thr\?'),
        ('predict images --draw-box', r'Did you mean --draw-bbox\b'),
        ('evaluate a.json --score-threshold=1', r'Did you mean --score-thr\?'),
        ('finetune data --epoch 3', r'--epoch 3\. Did you mean --epochs\?'),
        ('finetune data --model nanoo', r"'nanoo' .*\. Did you mean nano\?"),
        ('predict images --color-by sides', r"'sides' .*\. Did you mean side\?"),
        ('bulk a b --format parket', r"'parket' .*\. Did you mean parquet\?"),
        ('predict images --nonsense', r'unrecognized arguments: --nonsense\n'),
    ],
)
def test_an_unknown_option_suggests_the_likely_one(words, told, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(words.split())

    assert exit_.value.code == 2
    assert re.search(told, capsys.readouterr().err)


@pytest.mark.parametrize('folder', ['onestage_pose', 'tools', 'demo', 'projects'])
def test_no_parser_takes_abbreviations(folder):
    calls = [
        (path, ast.unparse(node))
        for path in (REPOSITORY / folder).rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func).endswith(('ArgumentParser', '.add_parser'))
            or ast.unparse(node.func) == 'Parser'
        )
    ]

    assert calls
    assert [each for each in calls if 'allow_abbrev=False' not in each[1]] == []


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_can_be_run(name):
    module = name.replace('-', '_')

    assert callable(import_module(f'onestage_pose.cli.{module}').run)


def test_a_command_gets_what_was_typed(monkeypatch):
    called = []
    train = import_module('onestage_pose.cli.train')
    monkeypatch.setattr(train, 'run', called.append)

    main(['train', CONFIG, '--amp'])

    [args] = called
    assert isinstance(args, argparse.Namespace)
    assert (args.config, args.amp, args.resume) == (CONFIG, True, None)


def test_what_the_user_can_mend_is_said_in_one_line(monkeypatch):
    def fail(args):
        raise UsageError('say')

    monkeypatch.setattr(import_module('onestage_pose.cli.train'), 'run', fail)

    with pytest.raises(SystemExit) as exit_:
        main(['train', CONFIG])

    assert exit_.value.code == 'Error: say'


def test_ctrl_c_while_a_command_is_imported_is_one_line(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr('onestage_pose.cli.main.importlib.import_module', interrupted)

    with pytest.raises(SystemExit) as exit_:
        main(['models'])

    assert exit_.value.code == 130
    assert capsys.readouterr().err == 'Interrupted.\n'


def test_a_pattern_that_the_shell_replaced_is_told(capsys):
    with pytest.raises(SystemExit):
        main(['predict', 'a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'])

    assert 'unrecognized arguments: d.jpg. Give one input' in capsys.readouterr().err
