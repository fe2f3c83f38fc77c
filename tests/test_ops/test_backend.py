# Copyright (c) onestage_pose contributors.
"""Who serves the operators."""

import sys
import types

import onestage_pose.ops
from onestage_pose.ops.fallback_module import FallbackModule
from onestage_pose.utils.openmmlab import describe_openmmlab

import pytest
from mmengine.logging import MMLogger

EXT = 'mmcv._ext'


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


def test_compiled_mmcv_is_named(compiled):
    assert onestage_pose.ops.backend() == 'mmcv'


def test_description_names_compiled_mmcv(compiled):
    assert 'compiled mmcv' in onestage_pose.ops.describe_backend()


def test_torchvision_stands_in_for_missing_operators(monkeypatch):
    monkeypatch.setitem(sys.modules, EXT, FallbackModule())

    assert onestage_pose.ops.backend() == 'torchvision'


def test_description_names_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, EXT, FallbackModule())

    assert 'by torchvision' in onestage_pose.ops.describe_backend()


def test_backend_is_logged_once_to_a_log_file(logger):
    onestage_pose.ops.log_backend()
    onestage_pose.ops.log_backend()

    assert logger.read_text().count(onestage_pose.ops.describe_backend()) == 1


def test_packages_of_openmmlab_are_logged_once_to_a_log_file(logger):
    onestage_pose.ops.log_backend()
    onestage_pose.ops.log_backend()

    assert logger.read_text().count(describe_openmmlab()) == 1
