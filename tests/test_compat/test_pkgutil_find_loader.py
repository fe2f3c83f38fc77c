# Copyright (c) onestage_pose contributors.
"""mmengine and mmcv look for compiled operators where Python has no find_loader."""

import importlib
import inspect
import pkgutil
import sys
from types import ModuleType

from onestage_pose.compat import pkgutil_find_loader as ours

import pytest


@pytest.fixture
def without_find_loader(monkeypatch):
    """Take the function away, as Python 3.14 does."""
    monkeypatch.delattr(pkgutil, 'find_loader', raising=False)


@pytest.mark.parametrize('name', ours.MODULES)
def test_module_finds_loaders_without_it(name, without_find_loader, monkeypatch):
    module = importlib.import_module(name)
    monkeypatch.setattr(module, 'pkgutil', pkgutil)

    ours.give_find_loader(module)

    assert module.pkgutil.find_loader('json').get_filename('json')


def test_module_keeps_the_function_that_python_has(monkeypatch):
    monkeypatch.setattr(pkgutil, 'find_loader', print, raising=False)
    module = ModuleType('user_of_pkgutil')
    module.pkgutil = pkgutil

    ours.give_find_loader(module)

    assert module.pkgutil is pkgutil


def test_module_that_is_not_there_has_no_loader():
    assert ours.find_loader('no_such_module') is None


def test_module_in_a_package_that_is_not_there_is_an_error():
    with pytest.raises(ImportError, match='no_such_package'):
        ours.find_loader('no_such_package.module')


def test_module_made_by_hand_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, 'made_by_hand', ModuleType('made_by_hand'))

    with pytest.raises(ImportError, match='no loader of made_by_hand'):
        ours.find_loader('made_by_hand')


@pytest.mark.parametrize('name', ours.MODULES)
def test_upstream_still_needs_it(name):
    source = inspect.getsource(importlib.import_module(name))

    assert source.count('pkgutil.') == source.count('pkgutil.find_loader') > 0, (
        f'{name} does without, or uses more of pkgutil: see to the patch'
    )
