# Copyright (c) onestage_pose contributors.
"""Batches are of one kind; results are in the order of the items."""

from onestage_pose.apis.batches import WINDOW, run_in_batches

from hypothesis import given
from hypothesis import strategies as st


def run(items, batch_size):
    """Items are (kind, value); returns the results and the batches that were run."""
    batches = []

    def run_batch(batch):
        batches.append(batch)
        return [f'result of {value}' for _, value in batch]

    results = run_in_batches(items, lambda item: item[0], run_batch, batch_size)
    return list(results), batches


@given(kinds=st.lists(st.sampled_from('abc')), batch_size=st.integers(1, 5))
def test_every_item_has_its_result_in_order(kinds, batch_size):
    items = [(kind, value) for value, kind in enumerate(kinds)]

    results, _ = run(items, batch_size)

    assert results == [f'result of {value}' for value in range(len(items))]


@given(kinds=st.lists(st.sampled_from('abc')), batch_size=st.integers(1, 5))
def test_a_batch_is_of_one_kind_and_not_too_large(kinds, batch_size):
    _, batches = run([(kind, kind) for kind in kinds], batch_size)

    for batch in batches:
        assert len({kind for kind, _ in batch}) == 1 and len(batch) <= batch_size


def test_items_of_one_kind_fill_their_batches():
    _, batches = run([('a', 0), ('b', 1), ('a', 2), ('b', 3)], batch_size=2)

    assert [[value for _, value in batch] for batch in batches] == [[0, 2], [1, 3]]


def test_a_rare_kind_does_not_hold_the_others_for_ever():
    taken = []

    def items():
        yield 'rare', 0
        for value in range(1, 100):
            taken.append(value)
            yield 'common', value

    results = run_in_batches(items(), lambda item: item[0], lambda batch: batch, 2)

    assert next(results) == ('rare', 0)
    assert len(taken) < WINDOW * 2


def test_a_single_image_waits_for_no_other():
    taken = []

    def items():
        for value in range(3):
            taken.append(value)
            yield 'a', value

    results = run_in_batches(items(), lambda item: item[0], lambda batch: batch, 1)

    next(results)
    assert taken == [0]
