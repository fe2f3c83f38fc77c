# Copyright (c) onestage_pose contributors.
"""PyTorch may fall back to the CPU on macOS."""

import os
import sys

from onestage_pose.compat.torch_mps_fallback import VARIABLE, install

import pytest


@pytest.fixture
def before_torch(monkeypatch):
    """macOS, before the import of PyTorch."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delitem(sys.modules, 'torch')
    monkeypatch.setattr(sys, 'platform', 'darwin')


def test_is_on_by_default(before_torch):
    install()

    assert os.environ[VARIABLE] == '1'


def test_users_choice_stays(before_torch, monkeypatch):
    monkeypatch.setenv(VARIABLE, '0')

    install()

    assert os.environ[VARIABLE] == '0'


def test_other_systems_are_left_alone(before_torch, monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'linux')

    install()

    assert VARIABLE not in os.environ
