# Copyright (c) onestage_pose contributors.
"""Configs are found in a checkout, in a wheel, and by name."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import onestage_pose
from onestage_pose.utils import get_config_path, get_config_root, paths, renamed_configs
from onestage_pose.utils.errors import UsageError
from onestage_pose.utils.paths import check_config_exists, find_config

import cv2
import numpy as np
import pytest

REPOSITORY = Path(onestage_pose.__file__).parents[1]
GCM_R50 = 'gcm_keypoint_rcnn/gcm-keypoint-rcnn_r50_fpn_3x_coco.py'


def make_configs(root, *names):
    for name in ('_base_/default_runtime.py', *names):
        path = root / 'configs' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('x = 1\n')


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty folder in the place of the installed package's."""
    folder = tmp_path / 'site' / 'onestage_pose'
    folder.mkdir(parents=True)
    monkeypatch.setattr(paths, 'PACKAGE', folder)
    return folder


def test_installed_package_has_its_own_configs(package):
    make_configs(package / '.mim')
    make_configs(package.parent)

    assert get_config_root() == package / '.mim' / 'configs'


def test_checkout_has_them_beside_the_package(package):
    make_configs(package.parent)

    assert get_config_root() == package.parent / 'configs'


def test_foreign_configs_folder_beside_the_package_is_not_taken(package):
    (package.parent / 'configs').mkdir()

    with pytest.raises(FileNotFoundError, match='install onestage_pose with pip'):
        get_config_root()


def test_config_by_its_path():
    assert get_config_path(GCM_R50) == get_config_root() / GCM_R50


def test_config_by_its_name_alone():
    assert get_config_path(Path(GCM_R50).stem) == get_config_root() / GCM_R50


@pytest.mark.parametrize('name', [Path(GCM_R50).stem, f'configs/{GCM_R50}'])
def test_commands_find_a_config_by_its_name_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert find_config(name) == str(get_config_root() / GCM_R50)
    check_config_exists(name)


def test_commands_prefer_a_file_that_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('default_runtime.py').touch()

    assert find_config('default_runtime.py') == 'default_runtime.py'


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('keypoint-rcn_r50', r'config keypoint-rcn_r50 .* near: a/keypoint-rcnn_r50'),
        ('same', 'config .*a/same.py, b/same.py'),
    ],
)
def test_a_command_tells_which_names_there_are(package, name, message):
    make_configs(package.parent, 'a/keypoint-rcnn_r50.py', 'a/same.py', 'b/same.py')

    with pytest.raises(UsageError, match=message):
        find_config(name)


def test_misspelt_config_names_its_neighbours(package):
    make_configs(package.parent, 'a/keypoint-rcnn_r50.py', 'a/other.py')

    with pytest.raises(FileNotFoundError, match='near: a/keypoint-rcnn_r50.py'):
        get_config_path('keypoint-rcn_r50')


def test_ambiguous_name_lists_the_choices(package):
    make_configs(package.parent, 'a/same.py', 'b/same.py')

    with pytest.raises(ValueError, match='a/same.py, b/same.py'):
        get_config_path('same')


def test_old_name_of_a_config_gives_the_new_one_and_a_warning(package, monkeypatch):
    make_configs(package.parent, 'b/new.py')
    renamed = {'configs/a/old.py': 'configs/b/new.py'}
    monkeypatch.setattr(renamed_configs, 'RENAMED_CONFIGS', renamed)

    with pytest.warns(FutureWarning, match='a/old is now configs/b/new.py'):
        found = get_config_path('a/old')

    assert found == package.parent / 'configs' / 'b' / 'new.py'


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel of this checkout, built as pip builds it."""
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    copy_tracked(REPOSITORY, source)
    command = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--quiet']
    command += ['--no-build-isolation', '--wheel-dir', folder, source]
    subprocess.run(command, check=True, cwd=folder)
    (wheel,) = folder.glob('*.whl')
    return wheel


@pytest.fixture(scope='module')
def python(wheel, tmp_path_factory):
    """An environment with this one's packages and the wheel, far from here."""
    folder = tmp_path_factory.mktemp('installed')
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob('lib/python*/site-packages')
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    others = [path for path in sys.path if path.endswith('-packages')]
    (site / 'others.pth').write_text('\n'.join(others) + '\n')
    return folder / 'bin' / 'python'


@pytest.mark.slow
class TestWheel:
    def test_carries_every_config(self, wheel):
        carried = {
            name.partition('.mim/')[2]
            for name in zipfile.ZipFile(wheel).namelist()
            if '/.mim/' in name
            and ('/configs/' in name or name.endswith('/metafile.yml'))
        }

        configs = [
            path
            for pattern in ('*.py', 'metafile.yml')
            for folder in ('configs', 'projects')
            for path in (REPOSITORY / folder).rglob(pattern)
            if 'configs' in path.parts or path.name == 'metafile.yml'
        ]
        assert carried == {c.relative_to(REPOSITORY).as_posix() for c in configs}

    def test_carries_the_tools(self, wheel):
        names = zipfile.ZipFile(wheel).namelist()

        assert 'onestage_pose/.mim/tools/train.py' in names

    def test_carries_the_web_page(self, wheel):
        names = zipfile.ZipFile(wheel).namelist()

        page = {each.name for each in (REPOSITORY / 'web').iterdir()}
        assert {f'onestage_pose/.mim/web/{name}' for name in page} <= set(names)

    def test_carries_projects_without_their_weights(self, wheel):
        names = zipfile.ZipFile(wheel).namelist()

        project = 'onestage_pose/.mim/projects/synthetic_people/'
        assert {f'{project}__init__.py', f'{project}README.md'} <= set(names)
        assert not [name for name in names if '.mim' in name and name.endswith('.pth')]

    def test_project_is_imported_by_its_config_outside_a_checkout(
        self, python, tmp_path
    ):
        program = (
            'from mmengine.config import Config;'
            'from onestage_pose.utils import get_config_path;'
            "Config.fromfile(get_config_path('gcm-keypoint-rcnn_r18-w32_fpn_demo'));"
            'from mmpose.registry import DATASETS;'
            "print(len(DATASETS.build(dict(type='SyntheticPeople', num_images=3))))"
        )

        assert run(python, program, tmp_path) == '3'

    def test_config_is_found_outside_a_checkout(self, python, tmp_path):
        program = (
            'from onestage_pose.utils import get_config_path;'
            f"print(get_config_path('{GCM_R50}'))"
        )

        path = Path(run(python, program, tmp_path))

        assert path.is_file()
        assert python.parents[1] in path.parents

    def test_config_is_inherited_outside_a_checkout(self, python, tmp_path):
        program = (
            'from mmengine.config import Config;'
            'from onestage_pose.utils import get_config_path;'
            f"base = get_config_path('{GCM_R50}').as_posix();"
            "open('mine.py', 'w').write(f'_base_ = {base!r}');"
            "print(Config.fromfile('mine.py').model.type)"
        )

        assert run(python, program, tmp_path) == 'KeypointRCNN'

    def test_the_command_predicts_outside_a_checkout(self, python, wheel, tmp_path):
        cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((64, 64, 3), np.uint8))

        run(
            python,
            'from onestage_pose.cli.main import main;'
            "main(['predict', 'a.png', '--out-dir', 'drawn', '--device', 'cpu'])",
            tmp_path,
        )

        assert (tmp_path / 'drawn/visualizations/a.png').is_file()

    def test_bulk_starts_its_workers_outside_a_checkout(self, python, tmp_path):
        table = pytest.importorskip('pyarrow.parquet', reason='the extra bulk')
        (tmp_path / 'images').mkdir()
        for name in ('a', 'b'):
            image = np.zeros((64, 64, 3), np.uint8)
            cv2.imwrite(str(tmp_path / f'images/{name}.png'), image)

        run(
            python,
            'from onestage_pose.cli.main import main;'
            "words = ['--workers', '2', '--partition-size', '1', '--device', 'cpu'];"
            "main(['bulk', 'images', 'people', *words])",
            tmp_path,
        )

        rows = table.read_table(tmp_path / 'people').to_pylist()
        assert [(row['index'], row['error']) for row in rows] == [(0, None), (1, None)]

    def test_serve_answers_outside_a_checkout(self, python, tmp_path):
        for package in ('uvicorn', 'fastapi', 'prometheus_client', 'httpx'):
            pytest.importorskip(package, reason='the extra serve')
        import httpx

        command = [python, '-I', '-m', 'onestage_pose', 'serve', '--device', 'cpu']
        process = subprocess.Popen(
            [*command, '--port', '0'], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        try:
            lines = (line for line in process.stdout if line.startswith('POST'))
            url = next(lines).split()[4].rstrip(';')
            image = cv2.imencode('.png', np.zeros((64, 80, 3), np.uint8))[1]
            answer = httpx.post(url, content=image.tobytes(), timeout=120)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

        assert (answer.status_code, answer.json()['width']) == (200, 80)

    def test_the_three_lines_of_the_readme_run_outside_a_checkout(
        self, python, tmp_path
    ):
        (tmp_path / 'images').mkdir()
        cv2.imwrite(str(tmp_path / 'images/a.png'), np.zeros((64, 64, 3), np.uint8))
        lines = (REPOSITORY / 'README.md').read_text()
        program = lines.split('```python\n')[1].split('```')[0]

        run(python, program + 'print()', tmp_path)

        assert (tmp_path / 'results/a.png').is_file()

    def test_the_command_is_installed(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith('entry_points.txt')]
            text = archive.read(name).decode()

        assert 'onestage-pose = onestage_pose.cli.main:main' in text


def run(python, program, folder):
    """Runs a program in another environment and folder; its last line."""
    done = subprocess.run(
        [python, '-I', '-c', program], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def copy_tracked(source, target):
    """Copies what a clone would have of the files that a wheel is made of."""
    ignore = shutil.ignore_patterns('__pycache__', '.mim', '*.egg-info', 'build')
    for name in ('onestage_pose', 'configs', 'projects', 'tools', 'web'):
        shutil.copytree(source / name, target / name, ignore=ignore)
    for pattern in ('*.toml', 'setup.*', 'MANIFEST.in', '*.md', 'LICENSE', '*.yml'):
        for path in source.glob(pattern):
            shutil.copy2(path, target)
