# Copyright (c) onestage_pose contributors.
"""mmengine loads checkpoints through this project, whatever their origin."""

import importlib
import inspect

from onestage_pose.checkpoints import loading
from onestage_pose.compat.mmengine_checkpoint_loaders import replace_loaders
from onestage_pose.utils.errors import UnsafeCheckpointError

import pytest
import torch
from mmengine.runner import CheckpointLoader, checkpoint


class Program:
    """Asks for a program to be run when it is unpickled."""

    def __reduce__(self):
        return print, ('this must not be run',)


def test_every_scheme_of_mmengine_is_replaced():
    modules = {
        loader.__module__
        for scheme, loader in CheckpointLoader._schemes.items()
        if scheme != 'zoo://'
    }

    assert modules == {loading.__name__}


def test_every_replacement_is_there():
    places = {
        (loader.__module__, loader.__name__)
        for loader in CheckpointLoader._schemes.values()
    }

    assert all(
        callable(getattr(importlib.import_module(module), name))
        for module, name in places
    )


def test_replacing_again_changes_nothing():
    before = list(CheckpointLoader._schemes)

    replace_loaders(checkpoint, loading.__name__)

    assert list(CheckpointLoader._schemes) == before


def test_programs_in_a_checkpoint_are_not_run(tmp_path, capsys):
    path = tmp_path / 'iter_1.pth'
    torch.save(dict(program=Program()), path)

    with pytest.raises(UnsafeCheckpointError, match='print'):
        CheckpointLoader.load_checkpoint(str(path))

    assert 'this must not be run' not in capsys.readouterr().out


@pytest.mark.parametrize('name', ['load_from_local', 'load_from_http'])
def test_mmengine_still_needs_it(name):
    source = inspect.getsource(getattr(checkpoint, name))

    assert 'weights_only=True' not in source, 'mmengine loads safely: look again'
