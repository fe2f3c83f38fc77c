# Copyright (c) onestage_pose contributors.
"""``tools/setup``: what it refuses, mends and says. Nothing is downloaded."""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tests.faults import fault_of

PROGRAM = Path(__file__).parents[2] / 'tools' / 'setup' / 'setup_env.py'


@pytest.fixture
def program():
    """The program as a module."""
    spec = importlib.util.spec_from_file_location('setup_env', PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    """The folder of an environment, which does not exist yet."""
    return tmp_path / 'venv'


@pytest.fixture
def ran(program, monkeypatch):
    """Record the commands in place of running them; ``venv`` makes a Python."""
    commands = []

    def run(command, folder, title):
        commands.append(command)
        if 'venv' in command:
            (folder / 'bin').mkdir()
            (folder / 'bin' / 'python').touch()
        if str(folder / 'uv.txt') in command:
            (folder / 'bin' / 'uv').touch()

    monkeypatch.setattr(program, 'run', run)
    return commands


def run_setup(folder, *options, **variables):
    """Run the program without any package index."""
    env = dict(os.environ, PIP_NO_INDEX='1', UV_OFFLINE='1', UV_NO_CACHE='1')
    env.update(PIP_FIND_LINKS='', PIP_CONFIG_FILE=os.devnull, **variables)
    command = [sys.executable, PROGRAM, folder, *options]
    return subprocess.run(command, env=env, capture_output=True, text=True)


@pytest.mark.parametrize('options', [[], ['--remove']])
def test_folder_of_somebody_else_is_left_alone(tmp_path, options):
    (tmp_path / 'precious').write_text('mine')

    done = run_setup(tmp_path, *options)

    assert done.returncode == 1
    assert 'was not made by this program' in done.stderr
    assert (tmp_path / 'precious').read_text() == 'mine'


def test_folder_of_this_program_is_removed(folder):
    (folder / 'lib').mkdir(parents=True)
    (folder / 'setup.json').write_text('{}')

    done = run_setup(folder, '--remove')

    assert done.returncode == 0
    assert not folder.exists()


@pytest.mark.slow
def test_failure_is_named_with_a_remedy_and_taken_up_again(folder):
    first, second = run_setup(folder), run_setup(folder)

    assert first.returncode == second.returncode == 1
    for done in (first, second):
        assert 'using pip, which takes longer' in done.stdout
        assert 'FAILED: [3/5] packages' in done.stderr
        assert 'The package index has no ready package' in done.stderr
    assert json.loads((folder / 'setup.json').read_text()) == {}


def test_second_call_runs_nothing(program, folder, ran):
    program.set_up(folder, '', '')
    first = len(ran)

    program.set_up(folder, '', '')

    assert first == 5
    assert len(ran) == first


def test_changed_lock_makes_the_environment_anew(
    program, folder, ran, tmp_path, monkeypatch
):
    lock = tmp_path / 'lock.txt'
    monkeypatch.setattr(program, 'LOCK', lock)
    lock.write_text(program.ROOT.joinpath('requirements/lock.txt').read_text())
    program.set_up(folder, '', '')
    (folder / 'lib' / 'old').mkdir(parents=True)
    lock.write_text(lock.read_text().replace('torch==', 'torch==9'))

    program.set_up(folder, '', '')

    assert len(ran) == 10
    assert not (folder / 'lib' / 'old').exists()


def test_environment_can_make_itself_anew(program, folder, ran, monkeypatch):
    # As `make` runs it: by the Python of the environment, a link that is removed.
    (folder / 'bin').mkdir(parents=True)
    (folder / 'bin' / 'python').symlink_to(sys.executable)
    monkeypatch.setattr(sys, 'executable', str(folder / 'bin' / 'python'))
    monkeypatch.setattr(sys, 'prefix', str(folder))

    program.install_packages(folder, '', '')

    [making] = [command for command in ran if 'venv' in command]
    assert not making[0].startswith(str(folder))
    assert os.access(making[0], os.X_OK)


def test_changed_project_is_installed_alone(
    program, folder, ran, tmp_path, monkeypatch
):
    project = tmp_path / 'pyproject.toml'
    monkeypatch.setattr(program, 'PROJECT', [project])
    project.write_text('old')
    program.set_up(folder, '', '')
    project.write_text('new')

    program.set_up(folder, '', '')

    assert len(ran) == 6
    assert '--editable' in ran[-1]


def test_interrupted_setup_begins_anew(program, folder, ran, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    commands = program.install_commands
    monkeypatch.setattr(program, 'install_commands', interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.set_up(folder, '', '')
    (folder / 'lib' / 'half').mkdir(parents=True)
    monkeypatch.setattr(program, 'install_commands', commands)

    program.set_up(folder, '', '')

    assert not (folder / 'lib' / 'half').exists()
    assert 'project' in program.read_notes(folder)


def test_missing_python_makes_the_environment_anew(program, folder, ran):
    program.set_up(folder, '', '')
    (folder / 'bin' / 'python').unlink()

    program.set_up(folder, '', '')

    assert len(ran) == 10


def test_pip_installs_where_uv_cannot_be_had(program, folder, ran, monkeypatch, capsys):
    recording = program.run

    def run(command, folder, title):
        if str(folder / 'uv.txt') in command:
            raise program.SetupError('no wheel')
        recording(command, folder, title)

    monkeypatch.setattr(program, 'run', run)

    program.set_up(folder, '', '')

    assert capsys.readouterr().out.count('uv cannot be installed; using pip') == 1
    assert ran[1][1:4] == ['-m', 'pip', 'install']
    assert '--require-hashes' in ran[1]


def test_pypi_build_installs_the_whole_lock_but_uv(program, folder):
    folder.mkdir()

    (command,) = program.install_commands(folder, 'pypi', program.CPU_INDEX)

    assert command[-3:] == ['--require-hashes', '-r', str(folder / 'lock.txt')]
    names = read_names(folder / 'lock.txt')
    assert {'torch', 'torchvision', 'mmpose', 'triton'} < names
    assert 'uv' not in names


def test_cpu_build_comes_from_the_index_of_pytorch(program, folder):
    folder.mkdir()

    rest, torch = program.install_commands(folder, 'cpu', program.CPU_INDEX)

    assert '--require-hashes' in rest
    assert '--index-url' not in rest
    assert torch[-4:] == [
        '--index-url',
        'https://download.pytorch.org/whl/cpu',
        'torch==2.11.0',
        'torchvision==0.26.0',
    ]
    names = read_names(folder / 'lock.txt')
    assert 'mmpose' in names
    assert not {'torch', 'torchvision', 'triton'} & names
    assert not [name for name in names if name.startswith(('nvidia-', 'cuda-'))]


def test_cpu_build_comes_from_a_folder_of_wheels(program, folder, tmp_path):
    folder.mkdir()

    _, torch = program.install_commands(folder, 'cpu', str(tmp_path))

    assert torch[-5:-2] == ['--no-index', '--find-links', str(tmp_path)]


@pytest.mark.parametrize('index', ['', 'wheels'])
def test_choice_of_torch_is_kept(program, folder, ran, index):
    program.set_up(folder, 'cpu', index)
    first = len(ran)

    program.set_up(folder, '', '')

    assert len(ran) == first
    assert program.read_notes(folder)['torch'] == 'cpu'
    assert program.read_notes(folder)['index'] == (index or program.CPU_INDEX)


@pytest.mark.parametrize('before', ['', 'pypi'])
def test_a_choice_that_failed_is_not_kept(program, folder, ran, monkeypatch, before):
    if before:
        program.set_up(folder, before, '')
    run = program.run

    def fail_without_index(command, folder, title):
        run(command, folder, title)
        if title.endswith('PyTorch for CPU'):
            raise program.SetupError('FAILED')

    monkeypatch.setattr(program, 'run', fail_without_index)
    with pytest.raises(program.SetupError) as fault:
        program.set_up(folder, 'cpu', '')
    assert 'TORCH=pypi' in str(fault.value)
    assert program.CPU_INDEX in str(fault.value)

    program.set_up(folder, '', '')

    assert program.read_notes(folder)['torch'] == 'pypi'


def test_index_of_cpu_builds_does_not_matter_for_those_of_pypi(program, folder, ran):
    program.set_up(folder, '', '')
    first = len(ran)

    program.set_up(folder, '', 'wheels')

    assert len(ran) == first


def test_other_build_of_torch_makes_the_environment_anew(program, folder, ran):
    program.set_up(folder, 'cpu', '')

    program.set_up(folder, 'pypi', '')

    assert len(ran) == 11


def test_unknown_torch_is_refused(folder):
    done = run_setup(folder, TORCH='cuda')

    assert done.returncode == 1
    assert 'give TORCH=cpu or TORCH=pypi' in done.stderr
    assert not folder.exists()


def test_small_disk_is_refused(program, folder, ran, monkeypatch):
    usage = namedtuple('usage', 'total used free')(10**10, 9 * 10**9, 10**9)
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: usage)

    with pytest.raises(program.SetupError, match=r'1\.0 GB .* 7 are .*VENV=/path'):
        program.set_up(folder, '', '')

    assert not ran


def test_notes_that_are_cut_short_count_as_none(program, folder):
    folder.mkdir()
    (folder / 'setup.json').write_text('{"packages": "61')

    assert program.read_notes(folder) == {}


def test_second_setup_waits_for_the_first(program, folder):
    with program.locked(folder), open(folder / 'setup.lock') as other:
        with pytest.raises(OSError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_emptying_keeps_lock_and_notes(program, folder, ran):
    with program.locked(folder):
        (folder / 'lib').mkdir()

        program.install_packages(folder, 'pypi', program.CPU_INDEX)

        assert (folder / 'setup.lock').exists()
        assert (folder / 'setup.json').exists()
        assert not (folder / 'lib').exists()


@pytest.mark.parametrize('version', [(2, 7), (3, 9), (3, 15)])
def test_other_python_is_refused(program, version):
    with pytest.raises(program.SetupError, match=r'Python 3\.10 to 3\.14.*PYTHON='):
        program.check_python(version)


@pytest.mark.parametrize('minor', range(10, 15))
def test_python_is_accepted(program, minor):
    assert fault_of(program.check_python, (3, minor, 1)) is None


@pytest.mark.parametrize(
    ('said', 'remedy'),
    [
        ('OSError: [Errno 28] No space left on device', 'Free some disk space'),
        ('ReadTimeoutError: Read timed out.', 'Check the network'),
        ('error: Request failed after 3 retries', 'Check the network'),
        ('ERROR: No matching distribution found for torch', 'no ready package'),
        ('torch==9 has no wheels with a matching platform tag', 'no ready package'),
        ('No module named ensurepip', 'python3-venv'),
        ('Segmentation fault', 'Read the log'),
    ],
)
def test_failure_gets_its_remedy(program, folder, said, remedy):
    folder.mkdir()
    code = f'print({said!r}); raise SystemExit(3)'

    with pytest.raises(program.SetupError, match=remedy) as caught:
        program.run([sys.executable, '-c', code], folder, '[3/5] packages')

    assert 'FAILED: [3/5] packages (exit code 3)' in str(caught.value)
    assert said in str(caught.value)
    assert said in (folder / 'setup.log').read_text()


def read_names(path):
    """Return the names of the packages in a lock file."""
    lines = path.read_text().splitlines()
    return {line.split('==')[0] for line in lines if '==' in line}
