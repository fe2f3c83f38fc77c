# Copyright (c) onestage_pose contributors.
"""Operators for mmcv-lite, and what is said where there can be none."""

import importlib
import subprocess
import sys
import types
from importlib.machinery import PathFinder

import onestage_pose
from onestage_pose.compat.mmcv_operators import NAME, install, provide_operators
from onestage_pose.ops.fallback_module import FallbackModule

import mmcv
import pytest


class BrokenExtension:
    """A finder: ``mmcv._ext`` is there, but its libraries do not load."""

    def find_spec(self, name, path=None, target=None):
        if name == NAME:
            raise ImportError('_ext.so: undefined symbol: _ZN2at4_ops')


@pytest.fixture
def compiled(monkeypatch):
    """A module in the place of compiled mmcv's."""
    module = types.ModuleType(NAME)
    monkeypatch.setitem(sys.modules, NAME, module)
    return module


def run_python(program):
    """Run a program in a fresh interpreter; return what it printed."""
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_compiled_mmcv_is_left_in_place(compiled):
    provide_operators(mmcv, FallbackModule)

    assert sys.modules[NAME] is compiled


def test_missing_operators_are_provided(monkeypatch):
    monkeypatch.delitem(sys.modules, NAME)
    monkeypatch.setattr(mmcv, '__path__', [])

    provide_operators(mmcv, FallbackModule)

    assert isinstance(sys.modules[NAME], FallbackModule)


def test_second_installation_keeps_the_module():
    before = importlib.import_module(NAME)

    install(FallbackModule)

    assert sys.modules[NAME] is before


def test_broken_compiled_mmcv_is_an_error_with_a_remedy(monkeypatch):
    monkeypatch.delitem(sys.modules, NAME)
    monkeypatch.setattr(sys, 'meta_path', [BrokenExtension(), *sys.meta_path])

    with pytest.raises(ImportError, match='undefined symbol.*another PyTorch'):
        provide_operators(mmcv, FallbackModule)


def test_missing_mmcv_is_an_error_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv', None)

    with pytest.raises(ImportError, match='pip install.*mmcv-lite'):
        install(FallbackModule)


def test_mmcv_lite_still_needs_it():
    if onestage_pose.ops.backend() == 'mmcv':
        pytest.skip('compiled mmcv is installed')

    assert PathFinder.find_spec(NAME, mmcv.__path__) is None
    assert PathFinder.find_spec('mmcv.ops', mmcv.__path__), 'the patch can go'


@pytest.mark.slow
def test_mmcv_may_be_imported_before():
    printed = run_python(
        'import mmcv, onestage_pose, mmcv.ops, mmdet.models;'
        'print(mmcv.ops.nms.__module__)'
    )

    assert printed.splitlines()[-1] == 'mmcv.ops.nms'
