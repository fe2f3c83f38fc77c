# Copyright (c) onestage_pose contributors.
"""``requirements/lock.txt`` is whole and agrees with pyproject.toml."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if importlib.util.find_spec('tomllib'):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
LOCK = ROOT / 'requirements' / 'lock.txt'
DIRECT = ROOT / 'requirements' / 'direct.txt'
EXCLUDED = ROOT / 'requirements' / 'excluded.txt'
PYTHONS = ['3.10', '3.11', '3.12', '3.13', '3.14']
# The lock has another build of the same package.
STANDS_FOR = {'opencv-python': 'opencv-python-headless'}


def read_requirements(path):
    """Return the requirements of a file, less comments and hashes."""
    lines = re.sub(r'\s*\\\n\s*--hash=\S+', '', path.read_text()).splitlines()
    lines = [line.split('#')[0].strip() for line in lines]
    return [Requirement(line) for line in lines if line]


def read_pins(python):
    """Return the versions that the lock has for a Python on Linux, by name."""
    environment = dict(
        default_environment(),
        python_version=python,
        python_full_version=f'{python}.1',
        sys_platform='linux',
        platform_system='Linux',
        platform_machine='x86_64',
        implementation_name='cpython',
        platform_python_implementation='CPython',
        os_name='posix',
    )
    pins = {}
    for requirement in read_requirements(LOCK):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            assert specifier.operator == '=='
            assert requirement.name not in pins
            pins[requirement.name] = specifier.version
    return pins, environment


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize(
    'extra', ['', 'lite', 'mmpose', 'onnx', 'track', 'tests', 'direct.txt']
)
def test_lock_satisfies(python, extra):
    pins, environment = read_pins(python)
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    if extra == 'direct.txt':
        wanted = read_requirements(DIRECT)
    elif extra:
        wanted = map(Requirement, project['optional-dependencies'][extra])
    else:
        wanted = map(Requirement, project['dependencies'])

    unmet = [
        str(requirement)
        for requirement in wanted
        if not requirement.marker or requirement.marker.evaluate(environment)
        for name in [canonicalize_name(requirement.name)]
        for pin in [pins.get(STANDS_FOR.get(name, name), '0')]
        if pin not in requirement.specifier
    ]

    assert not unmet


@pytest.mark.parametrize('python', PYTHONS)
def test_lock_leaves_out_what_is_excluded(python):
    excluded = {requirement.name for requirement in read_requirements(EXCLUDED)}

    assert not excluded & set(read_pins(python)[0])


def test_make_docs_installs_the_extra():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    listed = read_requirements(ROOT / 'requirements/docs.txt')

    extra = project['optional-dependencies']['docs']
    assert sorted(map(str, listed)) == sorted(map(str, map(Requirement, extra)))


def test_every_pin_has_hashes():
    text = LOCK.read_text()

    pins = re.findall(r'^[a-z].*$', text, re.MULTILINE)

    assert pins
    assert all('==' in pin and pin.endswith('\\') for pin in pins)
    assert len(re.findall(r'\\\n    --hash=sha256:[0-9a-f]{64}', text)) >= len(pins)


@pytest.mark.parametrize('python', PYTHONS)
def test_opencv_has_no_known_hole_in_its_decoders(python):
    # CVE-2025-53644, mended in 4.12: docs/reference/untrusted_files.md
    version = read_pins(python)[0]['opencv-python-headless']

    assert Version(version) >= Version('4.12')


@pytest.mark.parametrize(
    'version, is_taken', [('4.11.0.86', False), ('4.12.0.88', True)]
)
def test_package_asks_for_the_mended_opencv(version, is_taken):
    table = tomllib.loads((ROOT / 'pyproject.toml').read_text())
    [wanted] = [
        requirement
        for requirement in map(Requirement, table['project']['dependencies'])
        if requirement.name == 'opencv-python'
    ]

    assert wanted.specifier.contains(version) == is_taken


def test_lock_names_no_host_and_no_folder():
    assert not re.search(r'://|file:|-index|find-links|(^|\s)/', LOCK.read_text())


def test_project_has_no_upper_bound_on_python_numpy_and_setuptools():
    table = tomllib.loads((ROOT / 'pyproject.toml').read_text())
    wanted = [*table['project']['dependencies'], *table['build-system']['requires']]
    wanted = {
        Requirement(line).name: str(Requirement(line).specifier) for line in wanted
    }

    assert table['project']['requires-python'] == '>=3.10'
    assert wanted['numpy'] == '>=1.26'
    assert wanted['setuptools'] == '>=64'


@pytest.mark.slow
@pytest.mark.parametrize('python', PYTHONS)
def test_lock_is_there_as_wheels(tmp_path, python):
    uv = shutil.which('uv', path=str(Path(sys.executable).parent)) or shutil.which('uv')
    if not uv:
        pytest.skip('uv is not installed')
    command = [uv, 'pip', 'install', '--dry-run', '--no-deps', '--no-build']
    command += ['--require-hashes', '--python-version', python, '--requirement', LOCK]
    command += ['--python-platform', 'x86_64-manylinux_2_28']
    command += ['--target', tmp_path / 'site']

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert f'Would install {len(read_pins(python)[0])} packages' in done.stderr
