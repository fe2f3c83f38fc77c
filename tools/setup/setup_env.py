# Copyright (c) onestage_pose contributors.
"""Make the virtual environment of ``make demo`` and ``make test``.

Installs requirements/lock.txt and this checkout. VENV/setup.json holds a hash of what
decides about them: a call that finds it unchanged returns at once; after a change or an
interruption the environment is made anew, from the installer's cache. Variables:

    TORCH        cpu: PyTorch's CPU builds; pypi: PyPI's (CUDA); later calls keep it
    TORCH_INDEX  where the CPU builds are: a URL, or a folder of wheels

Standard library and Python 3.6 syntax, so that an old Python gets to its message.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / 'requirements' / 'lock.txt'
PROJECT = [ROOT / name for name in ('pyproject.toml', 'setup.py', 'setup.cfg')]
OLDEST, NEWEST = (3, 10), (3, 14)
GIGABYTES = {'pypi': 7, 'cpu': 3}  # of free disk
CPU_INDEX = 'https://download.pytorch.org/whl/cpu'
CUDA_PACKAGES = re.compile('(torch|torchvision|triton|nvidia-.*|cuda-.*)==')
UV, TORCH = re.compile('uv=='), re.compile('torch(vision)?==')
# of the installer's lines: the downloads of 100 MB and more, and its sums
SHOWN = re.compile(
    r'Download.*(\(\d{3}\.\d ?Mi?B\)|d (torch|triton|nvidia.*))$|Prepared|Installed'
)
REMEDIES = (
    ('No space left', 'Free some disk space, or take another disk: VENV=/path'),
    ('ensurepip|No module named venv', 'Debian, Ubuntu: apt-get install python3-venv'),
    (
        'connection|resolution|dns error|timed out|proxy|certificate|request failed',
        'Check the network, and HTTPS_PROXY or PIP_INDEX_URL where you need them.',
    ),
    (
        'No matching distribution|no wheels|not find a version|No solution found',
        'The package index has no ready package for this Python and machine. Linux on '
        'x86-64 and macOS on ARM have all of them for Python 3.10 to 3.14.',
    ),
    ('', 'Read the log. "make distclean" removes a broken environment.'),
)


class SetupError(Exception):
    """A message for the user; no traceback wanted."""


def check_python(version=sys.version_info):
    """Raise SetupError where the lock has no packages for this Python."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return
    names = [f'python3.{minor}' for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    found = [name for name in names if shutil.which(name)] or ['/path/to/python3.13']
    raise SetupError(
        f'This is Python {version[0]}.{version[1]} ({sys.executable}). Python 3.10 to '
        f'3.14 on Linux or macOS is needed: PYTHON={found[0]}'
    )


def check_folder(folder):
    """Raise SetupError for a folder that holds something else."""
    ours = (folder / 'setup.json').exists()
    if not ours and folder.exists() and any(folder.iterdir()):
        raise SetupError(
            f'{folder} is there already and was not made by this program. Give another '
            'place, VENV=/path, or see docs/get_started/installation.md for pip and uv.'
        )


def check_disk(folder, torch):
    """Raise SetupError before the long downloads if they will not fit."""
    free = shutil.disk_usage(str(folder)).free / 1e9
    if free < GIGABYTES[torch]:
        raise SetupError(
            f'{folder} has {free:.1f} GB of free disk; {GIGABYTES[torch]} are needed. '
            'Free some, take another disk (VENV=/path), or a CPU build: TORCH=cpu'
        )


def lock_entries():
    """Return the requirements of the lock file, each with its hashes."""
    return re.findall(r'^[a-z].*\\\n(?:    --hash.*\n)+', LOCK.read_text(), re.M)


def installer(folder):
    """Return the command that installs what follows it: uv's, or else pip's."""
    python, uv = str(folder / 'bin' / 'python'), folder / 'bin' / 'uv'
    if uv.exists():
        return [str(uv), 'pip', 'install', '--python', python, '--no-deps']
    return [python, '-m', 'pip', 'install', '--no-deps']


def install_commands(folder, torch, index):
    """Write the files to install from, and return the commands that do it."""
    install = [*installer(folder), '--only-binary', ':all:']
    entries = [entry for entry in lock_entries() if not UV.match(entry)]
    pins = [entry.split()[0] for entry in entries if TORCH.match(entry)]
    if torch == 'cpu':
        entries = [entry for entry in entries if not CUDA_PACKAGES.match(entry)]
    (folder / 'lock.txt').write_text(''.join(entries))
    commands = [[*install, '--require-hashes', '-r', str(folder / 'lock.txt')]]
    if torch == 'cpu':  # another build of the same version has other hashes
        local = ['--no-index', '--find-links', index]
        source = local if os.path.isdir(index) else ['--index-url', index]
        commands.append([*install, *source, *pins])
    return commands


def run(command, folder, title):
    """Run a command; raise SetupError with a remedy if it fails."""
    print(title, flush=True)
    env = {name: v for name, v in os.environ.items() if not name.startswith('PYTHON')}
    for name in ('PIP_USER', 'PIP_TARGET', 'PIP_PREFIX'):
        env.pop(name, None)
    env.setdefault('UV_SYSTEM_CERTS', 'true')  # as pip does
    if 'PIP_INDEX_URL' in env:
        env.setdefault('UV_DEFAULT_INDEX', env['PIP_INDEX_URL'])
    options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'env': env}
    options.update(stderr=subprocess.STDOUT, cwd=str(ROOT))
    # close_fds: a command that outlives this program keeps the lock.
    process = subprocess.Popen(command, close_fds=False, **options)
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.decode(errors='replace').rstrip())
            if SHOWN.match(lines[-1].strip()):
                print('   ', lines[-1].strip()[:90], flush=True)
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
        with open(str(folder / 'setup.log'), 'a', errors='replace') as log:
            log.write('\n'.join([title, ' '.join(command), *lines, '']))
    if process.returncode:
        said = '\n'.join(lines)
        remedy = next(fix for words, fix in REMEDIES if re.search(words, said, re.I))
        last = '\n  '.join(lines[-10:])
        raise SetupError(
            f'FAILED: {title} (exit code {process.returncode}). The last it said:\n\n'
            f'  {last}\n\nWhat to do: {remedy}\nThe log: {folder}/setup.log'
        )


def install_packages(folder, torch, index):
    """Make the environment anew and install the lock into it."""
    # This program may run in the very environment that is made anew, and the link to
    # the Python behind it goes first.
    in_venv = sys.prefix != sys.base_prefix
    base = os.path.realpath(sys.executable) if in_venv else sys.executable
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path.name not in ('setup.json', 'setup.lock'):
            path.unlink()
    run([base, '-m', 'venv', str(folder)], folder, '[1/5] virtual environment')
    python = str(folder / 'bin' / 'python')
    pip = [python, '-m', 'pip', 'install', '--no-deps', '--only-binary', ':all:']
    wheel = folder / 'uv.txt'
    wheel.write_text(''.join(entry for entry in lock_entries() if UV.match(entry)))
    try:
        run([*pip, '--require-hashes', '-r', str(wheel)], folder, '[2/5] installer: uv')
    except SetupError:
        print('    uv cannot be installed; using pip, which takes longer', flush=True)
    titles = [
        '[3/5] packages, about a minute on a fast connection',
        '    PyTorch for CPU',
    ]
    for command, title in zip(install_commands(folder, torch, index), titles):
        try:
            run(command, folder, title)
        except SetupError as error:
            if title == titles[0]:
                raise
            raise SetupError(
                f'{error}\nThese builds come from {index}, not from PyPI. Without it, '
                'give a folder of their wheels or another index, TORCH_INDEX=..., or '
                'take the builds of PyPI: TORCH=pypi'
            ) from error
    # mmdet's and mmpose's docstrings make Python 3.12 and later warn while compiling.
    packages = [str(path) for path in folder.glob('lib/python3*/site-packages/mm*')]
    compileall = [python, '-W', 'ignore', '-m', 'compileall', '-q', '-j', '0']
    run([*compileall, *packages], folder, '[4/5] byte code')


def set_up(folder, torch, index):
    """Bring the environment to what the lock says, or raise SetupError."""
    notes, python = read_notes(folder), folder / 'bin' / 'python'
    torch = torch or notes.get('torch', 'pypi')
    index = index or notes.get('index') or CPU_INDEX if torch == 'cpu' else ''
    choice = {'torch': torch, 'index': index}
    packages = digest([LOCK], sys.version, sys.base_prefix, folder, torch, index)
    wanted = dict(choice, packages=packages, project=digest(PROJECT, packages))
    if notes == wanted and python.exists():
        return
    check_python()
    check_folder(folder)
    with locked(folder):
        notes = read_notes(folder)  # another set-up may have ended just now
        if notes.get('packages') != packages or not python.exists():
            before = {name: notes[name] for name in choice if name in notes}
            write_notes(folder, choice)
            try:
                check_disk(folder, torch)
                install_packages(folder, torch, index)
            except SetupError:
                write_notes(folder, before)  # what failed is not chosen for good
                raise
        write_notes(folder, dict(choice, packages=packages))
        editable = ['--no-build-isolation', '--editable', str(ROOT)]
        run([*installer(folder), *editable], folder, '[5/5] onestage_pose, editable')
        write_notes(folder, wanted)


def digest(files, *values):
    """Return the hash of the content of files and of values."""
    content = [path.read_text() for path in files] + [str(value) for value in values]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def read_notes(folder):
    """Return what the last set-up noted, {} if nothing or not whole."""
    try:
        return json.loads((folder / 'setup.json').read_text())
    except (OSError, ValueError):
        return {}


def write_notes(folder, notes):
    """Write notes so that a reader sees the old or the new ones."""
    (folder / 'setup.json.new').write_text(json.dumps(notes))
    os.replace(str(folder / 'setup.json.new'), str(folder / 'setup.json'))


@contextlib.contextmanager
def locked(folder):
    """Let one set-up at a time work in a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / 'setup.json').exists():
        write_notes(folder, {})
    with open(str(folder / 'setup.lock'), 'w') as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f'waiting for another set-up of {folder}', flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def interrupt(_signal, _frame):
    """Turn a termination into the exception of Ctrl-C, so that children are ended."""
    raise KeyboardInterrupt


def main(args):
    """Set up the folder ``args[0]``, or with ``--remove`` delete it."""
    folder = Path(os.path.abspath(os.path.expanduser(args[0])))
    torch, index = os.environ.get('TORCH', ''), os.environ.get('TORCH_INDEX', '')
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        if torch not in ('', *GIGABYTES):
            raise SetupError(f'TORCH={torch}: give TORCH=cpu or TORCH=pypi')
        if '--remove' in args:
            check_folder(folder)
            shutil.rmtree(str(folder), ignore_errors=True)
        else:
            set_up(folder, torch, index)
    except SetupError as error:
        sys.exit(f'\n{error}\n')
    except OSError as error:
        sys.exit(f'\n{folder} cannot be used: {error}. Another place: VENV=/path\n')
    except KeyboardInterrupt:
        sys.exit('\nInterrupted. The same command begins anew; downloads are kept.')


if __name__ == '__main__':
    main(sys.argv[1:])
