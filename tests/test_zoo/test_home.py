# Copyright (c) onestage_pose contributors.
"""Where downloaded models are kept, and the mirror."""

from pathlib import Path

from onestage_pose.utils.errors import UsageError
from onestage_pose.zoo.home import get_home, get_mirror, locked

import pytest


def test_home_is_the_folder_that_the_variable_names(monkeypatch, tmp_path):
    monkeypatch.setenv('ONESTAGE_POSE_HOME', str(tmp_path))

    assert get_home() == tmp_path


def test_home_is_beside_the_hub_cache_of_torch(monkeypatch, tmp_path):
    monkeypatch.delenv('ONESTAGE_POSE_HOME')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))

    assert get_home() == tmp_path / 'onestage_pose'


def test_home_is_in_the_users_cache_by_default(monkeypatch):
    for name in ('ONESTAGE_POSE_HOME', 'TORCH_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)

    assert get_home() == Path.home() / '.cache/torch/onestage_pose'


def test_there_is_no_mirror_by_default():
    assert get_mirror() is None


def test_mirror_may_be_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path))

    assert get_mirror() == tmp_path


def test_mirror_may_be_an_address(monkeypatch):
    monkeypatch.setenv('ONESTAGE_POSE_MIRROR', 'https://files.example/zoo/')

    assert get_mirror() == 'https://files.example/zoo'


def test_mirror_that_is_neither_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv('ONESTAGE_POSE_MIRROR', str(tmp_path / 'nowhere'))

    with pytest.raises(UsageError, match='ONESTAGE_POSE_MIRROR=.*nowhere is neither'):
        get_mirror()


def test_a_cache_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / 'file').touch()

    with (
        pytest.raises(UsageError, match='file/model: .*set ONESTAGE_POSE_HOME'),
        locked(tmp_path / 'file' / 'model'),
    ):
        pass
