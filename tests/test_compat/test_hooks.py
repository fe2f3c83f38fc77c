# Copyright (c) onestage_pose contributors.
"""Patches are made once their module is imported."""

import sys
import types

from onestage_pose.compat.hooks import replace_function, when_imported

import pytest


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Name of a module that was never imported."""
    (tmp_path / 'toy_of_hooks.py').write_text('value = 1')
    monkeypatch.syspath_prepend(tmp_path)
    yield 'toy_of_hooks'
    sys.modules.pop('toy_of_hooks', None)


def test_patch_waits_for_the_import(toy):
    seen = []
    when_imported(toy, lambda module: seen.append(module.value))
    assert seen == []

    __import__(toy)

    assert seen == [1]


def test_module_that_is_imported_is_patched_at_once(toy):
    __import__(toy)
    seen = []

    when_imported(toy, seen.append)

    assert seen == [sys.modules[toy]]


def test_function_is_replaced_wherever_it_was_imported(monkeypatch):
    home, user, other = (types.ModuleType(name) for name in ('home', 'user', 'other'))
    home.answer = user.answer = lambda: 41
    other.answer = kept = lambda: 0
    for module in (home, user, other):
        monkeypatch.setitem(sys.modules, module.__name__, module)

    replace_function(home, 'answer', lambda: 42)

    assert home.answer() == user.answer() == 42
    assert other.answer is kept
