# Copyright (c) onestage_pose contributors.
"""mmengine finds installed packages without pkg_resources."""

import inspect
import sys
from importlib import metadata
from pathlib import Path

from onestage_pose.compat import mmengine_package_utils as ours

import mmengine.config.config
import mmengine.utils
import mmpose
import pytest
from mmengine.config import Config
from mmengine.utils import package_utils


def test_every_holder_has_the_replacement():
    holders = (package_utils, mmengine.utils, mmengine.config.config)

    assert {holder.is_installed for holder in holders} == {ours.is_installed}
    assert {holder.get_installed_path for holder in holders} == {
        ours.get_installed_path
    }


@pytest.mark.parametrize('name', ['mmpose', 'mmengine', 'onestage_pose'])
def test_there(name):
    assert ours.is_installed(name)


def test_distribution_of_another_name_than_its_module_is_there():
    assert ours.is_installed('PyYAML')


def test_not_there():
    assert not ours.is_installed('no_such_package')


def test_namespace_package_is_not_there(tmp_path, monkeypatch):
    (tmp_path / 'only_a_folder').mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    assert not ours.is_installed('only_a_folder')


def test_path_of_a_package():
    assert ours.get_installed_path('mmpose') == str(Path(mmpose.__file__).parent)


def test_path_of_a_distribution_of_another_name():
    assert Path(ours.get_installed_path('PyYAML')).name in ('yaml', '_yaml')


def test_path_of_a_package_that_is_not_installed(tmp_path, monkeypatch):
    (tmp_path / 'in_a_checkout').mkdir()
    (tmp_path / 'in_a_checkout' / '__init__.py').touch()
    monkeypatch.syspath_prepend(tmp_path)

    assert ours.get_installed_path('in_a_checkout') == str(tmp_path / 'in_a_checkout')


def test_path_of_nothing_is_an_error():
    with pytest.raises(metadata.PackageNotFoundError, match='no_such_package'):
        ours.get_installed_path('no_such_package')


def test_path_of_a_namespace_package_is_an_error(tmp_path, monkeypatch):
    (tmp_path / 'only_a_folder').mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(RuntimeError, match='only_a_folder is a namespace package'):
        ours.get_installed_path('only_a_folder')


def test_module_of_a_distribution():
    assert ours.package2module('mmpose') == 'mmpose'


def test_config_of_another_package_is_found_without_pkg_resources(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pkg_resources', None)

    cfg = Config.fromstring("_base_ = ['mmpose::_base_/default_runtime.py']", '.py')

    assert cfg.default_scope == 'mmpose'


def test_replacing_again_changes_nothing():
    ours.replace_functions(package_utils)

    assert package_utils.is_installed is ours.is_installed


def test_mmengine_still_needs_it():
    source = inspect.getsource(package_utils)

    assert 'pkg_resources' in source, 'mmengine does without: the patch can go'
