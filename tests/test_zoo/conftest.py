# Copyright (c) onestage_pose contributors.
"""A server on the loopback address, and a cache of its own for every test."""

from onestage_pose.zoo import download

import pytest

from tests.loopback_server import LoopbackServer


@pytest.fixture
def server():
    with LoopbackServer() as server:
        yield server


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The cache: empty, and no mirror."""
    monkeypatch.setenv('ONESTAGE_POSE_HOME', str(tmp_path / 'home'))
    monkeypatch.delenv('ONESTAGE_POSE_MIRROR', raising=False)
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / 'home'


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(download, 'PAUSE', 0)
