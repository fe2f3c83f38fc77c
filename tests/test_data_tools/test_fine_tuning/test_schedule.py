# Copyright (c) onestage_pose contributors.
"""The length of a training, by the size of the data."""

from onestage_pose.data_tools.fine_tuning.schedule import choose_schedule, scale_rate

import pytest


def test_few_images_are_seen_often_and_many_rarely():
    seen = [
        choose_schedule(number, 4).max_iters * 4 / number
        for number in (10, 100, 1000, 100_000)
    ]
    assert seen == sorted(seen, reverse=True)
    assert 50 < seen[0] < 120 and 2 < seen[-1] < 4


def test_epochs_are_what_is_said():
    schedule = choose_schedule(24, 4, epochs=10)
    assert schedule.max_iters == 60


@pytest.mark.parametrize('number', [1, 2, 10, 1000, 100_000])
def test_all_happens_within_the_run(number):
    schedule = choose_schedule(number, 4, epochs=1)
    assert 1 <= schedule.batch_size <= number
    assert schedule.warmup < schedule.max_iters
    assert 1 <= schedule.val_interval <= schedule.max_iters
    assert 1 <= schedule.checkpoint_interval <= min(2000, schedule.max_iters)


@pytest.mark.parametrize(
    ('max_iters', 'num_val', 'evaluations'),
    [(400, 6, 5), (10, 5000, 1), (400, 800, 2)],
    ids=['five', 'one', 'fewer'],
)
def test_evaluations_do_not_outweigh_the_training(max_iters, num_val, evaluations):
    schedule = choose_schedule(4000, 4, max_iters=max_iters, num_val=num_val)
    assert -(-schedule.max_iters // schedule.val_interval) == evaluations


@pytest.mark.parametrize(('kind', 'rate'), [('SGD', 0.0025), ('AdamW', 0.0071)])
def test_rates_follow_the_batch(kind, rate):
    assert scale_rate(0.02, kind, 2, 16) == rate
