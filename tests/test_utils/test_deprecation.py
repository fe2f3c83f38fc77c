# Copyright (c) onestage_pose contributors.
"""Old names still work, and warn."""

import inspect
import sys
import types

from onestage_pose.utils.deprecation import register_alias, renamed_attributes

import pytest
from mmengine.registry import Registry


@pytest.fixture
def registry():
    return Registry('things', scope='onestage_pose_test')


@pytest.fixture
def cup(registry):
    @registry.register_module()
    class Cup:
        COLOR = 'blue'

        def __init__(self, size, handle=True):
            self.size, self.handle = size, handle

    register_alias(registry, 'Mug', Cup)
    return Cup


def test_an_alias_builds_the_renamed_class(registry, cup):
    with pytest.warns(FutureWarning):
        built = registry.build(dict(type='Mug', size=3, handle=False))

    assert type(built) is cup
    assert (built.size, built.handle) == (3, False)


def test_an_alias_says_the_new_name(registry, cup):
    with pytest.warns(FutureWarning, match="type='Mug' is now type='Cup'"):
        registry.build(dict(type='Mug', size=3))


@pytest.mark.filterwarnings('error')
def test_the_new_name_does_not_warn(registry, cup):
    assert type(registry.build(dict(type='Cup', size=3))) is cup


def test_an_alias_has_what_the_class_has(registry, cup):
    alias = registry.get('Mug')

    assert issubclass(alias, cup)
    assert alias.COLOR == 'blue'
    assert inspect.signature(alias) == inspect.signature(cup)


@pytest.mark.filterwarnings('ignore::FutureWarning')
def test_a_misspelt_option_of_an_alias_is_refused(registry, cup):
    with pytest.raises(TypeError, match='sise'):
        registry.build(dict(type='Mug', sise=3))


def test_a_name_that_is_taken_is_no_alias(registry, cup):
    with pytest.raises(KeyError, match='Cup is already registered'):
        register_alias(registry, 'Cup', cup)


@pytest.fixture
def module(monkeypatch):
    module = types.ModuleType('onestage_pose_test_module')
    module.New = object()
    module.__getattr__ = renamed_attributes(module.__name__, {'Old': 'New'})
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_a_renamed_attribute_is_found_by_its_old_name(module):
    with pytest.warns(FutureWarning, match='Old is now onestage_pose_test_module.New'):
        assert module.Old is module.New


def test_other_attributes_are_missing(module):
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        module.Other  # noqa: B018
