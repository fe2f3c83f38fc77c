# Copyright (c) onestage_pose contributors.
"""A bar is for terminals, and for what takes long."""

import io
import sys

from onestage_pose.cli import progress
from onestage_pose.cli.progress import track

import pytest


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def seconds(monkeypatch):
    """What the clock shows: one second more each time it is asked."""
    now = iter(range(1000))
    monkeypatch.setattr(progress.time, 'monotonic', lambda: next(now))


def run(stream, monkeypatch, number):
    monkeypatch.setattr(sys, 'stderr', stream)
    monkeypatch.setenv('TERM', 'xterm')
    items = list(track(range(number), 'Images'))
    return items, stream.getvalue()


def test_what_is_quick_has_none(monkeypatch, seconds):
    items, written = run(Terminal(), monkeypatch, 1)

    assert items == [0] and written == ''


def test_what_takes_long_has_one(monkeypatch, seconds):
    items, written = run(Terminal(), monkeypatch, 9)

    assert items == list(range(9)) and 'Images' in written


def test_a_file_has_none(monkeypatch, seconds):
    items, written = run(io.StringIO(), monkeypatch, 9)

    assert items == list(range(9)) and written == ''
