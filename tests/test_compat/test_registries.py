# Copyright (c) onestage_pose contributors.
"""Registries import this project's modules when they are first asked."""

import sys
import types

from onestage_pose.compat.registries import add_locations

import pytest
from mmengine.registry import Registry

LOCATION = 'toy_of_registries'


@pytest.fixture
def registries(tmp_path, monkeypatch):
    """A module with a registry ``TOYS``, for which ``Doll`` waits on the disk."""
    module = types.ModuleType('toy_registries')
    module.TOYS = Registry('toy', scope='toy_registries')
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (tmp_path / f'{LOCATION}.py').write_text(
        'from toy_registries import TOYS\n'
        '@TOYS.register_module()\n'
        'class Doll:\n'
        '    pass\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield module
    sys.modules.pop(LOCATION, None)


def test_module_is_imported_with_the_first_question(registries):
    add_locations(registries, {'TOYS': LOCATION})
    assert LOCATION not in sys.modules

    assert registries.TOYS.get('Doll').__name__ == 'Doll'


def test_registry_that_was_asked_before_gets_it_at_once(registries):
    registries.TOYS.import_from_location()

    add_locations(registries, {'TOYS': LOCATION})

    assert 'Doll' in registries.TOYS.module_dict


def test_adding_again_changes_nothing(registries):
    add_locations(registries, {'TOYS': LOCATION})
    add_locations(registries, {'TOYS': LOCATION})

    assert registries.TOYS._locations == [LOCATION]


def test_other_registries_are_left_alone(registries):
    other = Registry('other toy', scope='toy_registries')

    add_locations(registries, {'TOYS': LOCATION})

    assert other._locations == []
