# Copyright (c) onestage_pose contributors.
"""``tools/setup``: what it refuses, mends and says. Nothing is downloaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / 'tools' / 'setup'


@pytest.fixture
def setup_modules(monkeypatch):
    """Lets a test import the modules of tools/setup, as the program does."""
    monkeypatch.syspath_prepend(str(SETUP))
    names = ('environment', 'messages', 'python_version', 'step_runner', 'steps')
    yield
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def environment(setup_modules, tmp_path):
    from environment import Environment

    return Environment(tmp_path / 'venv')


def run_setup(folder, *options):
    """Runs the program without any package index."""
    variables = dict(os.environ, PIP_NO_INDEX='1', PIP_FIND_LINKS='')
    variables['PIP_CONFIG_FILE'] = os.devnull
    command = [sys.executable, SETUP / 'setup_env.py', folder, *options]
    return subprocess.run(command, env=variables, capture_output=True, text=True)


@pytest.mark.parametrize('options', [[], ['--lint'], ['--remove']])
def test_folder_of_somebody_else_is_left_alone(tmp_path, options):
    (tmp_path / 'precious').write_text('mine')

    done = run_setup(tmp_path, *options)

    assert done.returncode == 1
    assert 'was not made by this program' in done.stderr
    assert (tmp_path / 'precious').read_text() == 'mine'


@pytest.mark.slow
def test_failed_step_is_named_with_a_remedy_and_taken_up_again(tmp_path):
    folder = tmp_path / 'venv'

    first, second = run_setup(folder), run_setup(folder)

    assert first.returncode == second.returncode == 1
    assert 'FAILED at [2/7] build tools' in first.stderr
    assert 'The package index in use' in first.stderr
    assert '[1/7]' in first.stdout
    assert '[1/7]' not in second.stdout


def test_same_requirements_leave_a_step_done(setup_modules):
    from steps import plan

    keys = [[step.key('') for step in plan(lint=False)] for _ in range(2)]

    assert keys[0] == keys[1]


def test_changed_requirement_makes_the_later_steps_due(setup_modules, tmp_path):
    from steps import Step

    requirement = tmp_path / 'requirement.txt'
    early, late = Step('early', ['a'], (requirement,)), Step('late', ['b'], ())
    requirement.write_text('torch==1\n')
    before = late.key(early.key(''))

    requirement.write_text('torch==2\n')

    assert late.key(early.key('')) != before


def test_half_installed_package_is_dropped(environment):
    site = environment.folder / 'lib' / 'python3.11' / 'site-packages'
    for name in ('whole-1.dist-info', 'half-1.dist-info', '~et-aside'):
        (site / name).mkdir(parents=True)
    (site / 'whole-1.dist-info' / 'RECORD').touch()

    environment.drop_half_installed()

    assert [path.name for path in site.iterdir()] == ['whole-1.dist-info']


def test_notes_that_are_cut_short_count_as_none(environment):
    environment.folder.mkdir()
    environment.notes.write_text('{"virtual environment": "61')

    assert environment.done() == {}


def test_notes_are_read_as_written(environment):
    environment.folder.mkdir()

    environment.note({'build tools': 'abc'})

    assert environment.done() == json.loads('{"build tools": "abc"}')


def test_emptying_keeps_the_lock(environment):
    with environment.locked():
        (environment.folder / 'lib').mkdir()
        environment.note({'virtual environment': 'abc'})

        environment.empty()

    assert environment.lock.exists()
    assert not (environment.folder / 'lib').exists()
    assert environment.done() == {}


@pytest.mark.parametrize('version', [(3, 8), (3, 13)])
def test_other_python_is_refused(setup_modules, monkeypatch, version):
    from messages import SetupError
    from python_version import check_python

    monkeypatch.setattr(sys, 'version_info', (*version, 0))

    with pytest.raises(SetupError, match=r'Python 3.9 to 3.12.*PYTHON='):
        check_python(lint=False)


def test_python_3_12_without_compiler_is_refused(setup_modules, monkeypatch):
    from messages import SetupError
    from python_version import check_python

    monkeypatch.setattr(sys, 'version_info', (3, 12, 0))
    monkeypatch.setenv('CC', 'no-such-compiler')

    with pytest.raises(SetupError, match='needs a C compiler'):
        check_python(lint=False)


@pytest.mark.parametrize(
    ('said', 'remedy'),
    [
        ('OSError: [Errno 28] No space left on device', 'Free some space'),
        ('ReadTimeoutError: Read timed out.', 'Check the network'),
        ('ERROR: No matching distribution found for torch', 'no ready package'),
        ('ImportError: libGL.so.1: cannot open', 'libgl1'),
        ('Segmentation fault', 'Read the log'),
    ],
)
def test_failure_gets_its_remedy(environment, tmp_path, said, remedy):
    from messages import SetupError
    from step_runner import StepRunner

    environment.folder.mkdir()
    program = f'print({said!r}); raise SystemExit(3)'

    with pytest.raises(SetupError, match=remedy) as caught:
        StepRunner(environment).run([sys.executable, '-c', program], '[3/7] PyTorch')

    assert 'FAILED at [3/7] PyTorch (exit code 3)' in str(caught.value)
    assert said in str(caught.value)
