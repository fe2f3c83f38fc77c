# Copyright (c) onestage_pose contributors.
"""Who serves the operators, and what is said where nobody can."""

import subprocess
import sys
import types

import onestage_pose.ops
from onestage_pose.ops.backend import install
from onestage_pose.ops.fallback_module import FallbackModule

import pytest
from mmengine.logging import MMLogger

EXT = 'mmcv._ext'


class BrokenExtension:
    """An import hook: ``mmcv._ext`` is there, but its libraries do not load."""

    def find_spec(self, name, path=None, target=None):
        if name == EXT:
            raise ImportError('_ext.so: undefined symbol: _ZN2at4_ops')


@pytest.fixture
def compiled(monkeypatch):
    """A module in the place of compiled mmcv's."""
    module = types.ModuleType(EXT)
    monkeypatch.setitem(sys.modules, EXT, module)
    return module


@pytest.fixture
def logger(tmp_path):
    path = tmp_path / 'run.log'
    MMLogger.get_instance(path.as_posix(), log_file=str(path))
    yield path
    MMLogger._instance_dict.pop(path.as_posix())


def run_python(program):
    """Runs a program in a fresh interpreter; returns what it printed."""
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_compiled_mmcv_is_left_in_place(compiled):
    install()

    assert sys.modules[EXT] is compiled
    assert onestage_pose.ops.backend() == 'mmcv'


def test_description_names_compiled_mmcv(compiled):
    assert 'compiled mmcv' in onestage_pose.ops.describe_backend()


def test_torchvision_stands_in_for_missing_operators(monkeypatch):
    monkeypatch.setitem(sys.modules, EXT, FallbackModule())

    assert onestage_pose.ops.backend() == 'torchvision'


def test_description_names_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, EXT, FallbackModule())

    assert 'by torchvision' in onestage_pose.ops.describe_backend()


def test_second_installation_keeps_the_module():
    before = sys.modules[EXT]

    install()

    assert sys.modules[EXT] is before


def test_broken_compiled_mmcv_is_an_error_with_a_remedy(monkeypatch):
    monkeypatch.delitem(sys.modules, EXT)
    monkeypatch.setattr(sys, 'meta_path', [BrokenExtension(), *sys.meta_path])

    with pytest.raises(ImportError, match='undefined symbol.*another PyTorch'):
        install()


def test_missing_mmcv_is_an_error_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv', None)

    with pytest.raises(ImportError, match='pip install.*mmcv-lite'):
        install()


def test_backend_is_logged_once_to_a_log_file(logger):
    onestage_pose.ops.log_backend()
    onestage_pose.ops.log_backend()

    assert logger.read_text().count(onestage_pose.ops.describe_backend()) == 1


@pytest.mark.slow
def test_mmcv_may_be_imported_before():
    printed = run_python(
        'import mmcv, onestage_pose.ops, mmcv.ops, mmdet.models;'
        'print(mmcv.ops.nms.__module__)'
    )

    assert printed.splitlines()[-1] == 'mmcv.ops.nms'


SPAWN = """
from torch.utils.data import DataLoader

def main():
    import onestage_pose
    from mmpose.datasets import CocoDataset
    dataset = CocoDataset(ann_file='', lazy_init=True, serialize_data=False)
    dataset._fully_initialized = True
    dataset.data_list = [dict(number=7)]
    dataset.get_data_info = dataset.data_list.__getitem__
    loader = DataLoader(dataset, num_workers=1, multiprocessing_context='spawn',
                        collate_fn=list)
    print([item['number'] for batch in loader for item in batch])

if __name__ == '__main__':
    main()
"""


@pytest.mark.slow
def test_spawned_worker_that_imports_mmpose_first_works(tmp_path):
    script = tmp_path / 'spawn.py'
    script.write_text(SPAWN)

    done = subprocess.run([sys.executable, script], capture_output=True, text=True)

    assert done.stdout.splitlines()[-1:] == ['[7]'], done.stderr
