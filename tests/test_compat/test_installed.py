# Copyright (c) onestage_pose contributors.
"""A missing MMPose is an error that says how to install it."""

import importlib.util
from importlib import metadata

from onestage_pose.compat import installed

import pytest


def test_missing_mmpose_is_an_error_with_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)

    with pytest.raises(ImportError, match='pip install --no-deps .mmpose>='):
        installed.check_mmpose()


def test_nothing_but_mmpose_is_looked_for(monkeypatch):
    asked, find = [], importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: asked.append(name) or find(name)
    )

    installed.check_mmpose()

    assert asked == ['mmpose']


def test_mmpose_still_requires_chumpy():
    required = metadata.requires('mmpose')

    assert 'chumpy' in required, 'mmpose does without: name it in pyproject.toml'
