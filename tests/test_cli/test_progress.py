# Copyright (c) onestage_pose contributors.
"""A bar is for terminals, lines are for logs, and both for what takes long."""

import io
import sys

from onestage_pose.cli import progress
from onestage_pose.cli.progress import describe_seconds, track

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


def test_a_log_has_none_of_what_is_quick(monkeypatch, seconds):
    items, written = run(io.StringIO(), monkeypatch, 9)

    assert items == list(range(9)) and written == ''


def test_a_log_has_a_line_for_each_tenth(monkeypatch, seconds):
    items, written = run(io.StringIO(), monkeypatch, 40)

    assert items == list(range(40))
    # none in the first ten seconds, and none for the end
    done = [10, 12, 16, 20, 24, 28, 32, 36]
    assert written.splitlines() == [
        f'Images: {number} of 40, {40 - number} s left' for number in done
    ]


def test_a_log_has_a_line_each_ten_minutes_of_what_takes_hours(monkeypatch, seconds):
    monkeypatch.setattr(sys, 'stderr', io.StringIO())

    list(track(range(601), 'Images', 10**5))

    assert sys.stderr.getvalue() == 'Images: 600 of 100000, 27.6 h left\n'


def test_a_log_has_a_line_a_minute_where_no_number_is_known(monkeypatch, seconds):
    monkeypatch.setattr(sys, 'stderr', io.StringIO())

    list(track(iter(range(130)), 'Frames'))

    assert sys.stderr.getvalue() == 'Frames: 60\nFrames: 120\n'


@pytest.mark.parametrize(
    ('seconds', 'told'),
    [(89, '89 s'), (90, '2 min'), (5399, '90 min'), (5400, '1.5 h')],
)
def test_a_duration_has_the_unit_that_suits_it(seconds, told):
    assert describe_seconds(seconds) == told
