# Copyright (c) onestage_pose contributors.
"""Items are loaded ahead in threads, in order, and only so many."""

import itertools
import threading

from onestage_pose.apis.ahead import load_ahead

import pytest

WAIT = 30  # seconds until a test that hangs fails


@pytest.mark.parametrize('num_threads', [0, 1, 3])
def test_results_come_in_order(num_threads):
    loaded = load_ahead(range(20), lambda item: item * item, num_threads, ahead=4)

    assert list(loaded) == [item * item for item in range(20)]


def test_an_item_is_loaded_while_the_caller_has_another():
    others = threading.Event()

    def load(item):
        if item == 1:
            others.set()
        return item

    loaded = load_ahead(range(2), load, num_threads=1, ahead=2)
    next(loaded)

    assert others.wait(WAIT)


def test_a_slow_item_does_not_keep_others_from_being_loaded():
    second = threading.Event()

    def load(item):
        if item == 0:
            assert second.wait(WAIT)
        else:
            second.set()
        return item

    assert list(load_ahead(range(2), load, num_threads=2, ahead=2)) == [0, 1]


def test_no_more_items_are_taken_than_may_be_ahead():
    taken = []

    def items():
        for item in itertools.count():
            taken.append(item)
            yield item

    loaded = load_ahead(items(), lambda item: item, num_threads=2, ahead=3)
    for expected in range(50):
        assert next(loaded) == expected
        assert len(taken) <= expected + 1 + 3
    loaded.close()


def test_an_error_comes_at_its_place():
    def load(item):
        if item == 2:
            raise ValueError('broken')
        return item

    loaded = load_ahead(range(5), load, num_threads=2, ahead=4)

    assert [next(loaded), next(loaded)] == [0, 1]
    with pytest.raises(ValueError, match='broken'):
        next(loaded)


def test_an_error_of_the_items_comes_after_what_was_before_it():
    def items():
        yield 0
        raise OSError('unplugged')

    loaded = load_ahead(items(), lambda item: item, num_threads=1, ahead=4)

    assert next(loaded) == 0
    with pytest.raises(OSError, match='unplugged'):
        next(loaded)


def test_who_stops_early_closes_the_items():
    closed = threading.Event()

    def items():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    loaded = load_ahead(items(), lambda item: item, num_threads=1, ahead=2)
    next(loaded)
    loaded.close()

    assert closed.is_set()
    assert 'take-ahead' not in {each.name for each in threading.enumerate()}
