# Copyright (c) onestage_pose contributors.
"""When pycocotools answers for xtcocotools, and when not."""

import importlib
import inspect
import pickle
import subprocess
import sys

from onestage_pose.compat import xtcocotools as alias

import mmpose.evaluation.metrics.coco_metric as coco_metric
import pytest

WORKS = 'value = 1\n'
BUILT_FOR_NUMPY_1 = (
    'import sys\n'
    'sys.stderr.write("A module that was compiled using NumPy 1.x")\n'
    'raise ImportError("numpy.core.multiarray failed to import")\n'
)


@pytest.fixture
def forgotten(monkeypatch):
    """xtcocotools as it is before its first import, of which none is installed."""
    for name in [name for name in sys.modules if name.split('.')[0] == alias.NAME]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, 'path', [])
    yield
    for name in [name for name in sys.modules if name.split('.')[0] == alias.NAME]:
        del sys.modules[name]


def put(folder, compiled, monkeypatch):
    """Put a package of that name into a folder, and the folder where Python looks."""
    package = folder / alias.NAME
    package.mkdir()
    (package / '__init__.py').write_text('mine = True\n')
    (package / '_mask.py').write_text(compiled)
    monkeypatch.setattr(sys, 'path', [str(folder)])
    importlib.invalidate_caches()


@pytest.mark.parametrize('name', ['coco', 'cocoeval', 'mask', '_mask'])
def test_missing_modules_are_answered_for(forgotten, name):
    assert importlib.import_module(f'{alias.NAME}.{name}')
    assert alias.is_answered()


def test_names_are_those_that_mmpose_imports(forgotten):
    from xtcocotools.coco import COCO
    from xtcocotools.cocoeval import COCOeval
    from xtcocotools.mask import decode, frPyObjects, merge

    assert all(map(callable, (COCO, COCOeval, decode, frPyObjects, merge)))


def test_other_modules_of_it_are_not_answered_for(forgotten):
    with pytest.raises(ModuleNotFoundError, match='xtcocotools.nothing'):
        importlib.import_module(f'{alias.NAME}.nothing')


def test_installed_one_that_loads_is_left(forgotten, tmp_path, monkeypatch):
    put(tmp_path, WORKS, monkeypatch)

    assert importlib.import_module(alias.NAME).mine
    assert not alias.is_answered()


def test_installed_one_for_another_numpy_is_answered_for(
    forgotten, tmp_path, monkeypatch, capsys
):
    put(tmp_path, BUILT_FOR_NUMPY_1, monkeypatch)

    importlib.import_module(f'{alias.NAME}.coco')

    assert alias.is_answered()
    assert capsys.readouterr().err == ''


def test_half_an_installation_is_answered_for(forgotten, tmp_path, monkeypatch):
    put(tmp_path, WORKS, monkeypatch)
    (tmp_path / alias.NAME / '_mask.py').unlink()

    importlib.import_module(f'{alias.NAME}.coco')

    assert alias.is_answered()


def test_installing_again_changes_nothing():
    before = list(sys.meta_path)

    alias.install()

    assert sys.meta_path == before


def test_objects_come_back_from_another_process_without_help(forgotten):
    from xtcocotools.coco import COCO

    pickled = pickle.dumps(COCO())
    program = f'import pickle; print(type(pickle.loads({pickled!r})).__name__)'
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == 'COCO'


def test_mmpose_still_needs_it():
    source = inspect.getsource(coco_metric)

    assert 'from xtcocotools' in source, 'mmpose does without: the patch can go'
