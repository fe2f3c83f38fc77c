# Copyright (c) onestage_pose contributors.
"""What is still does not shake; what is fast does not lag."""

import json

from onestage_pose.tracking import OneEuroFilter

import numpy as np
import pytest

FPS, SIZE = 30, 100.0


def smooth(signal, strength=1.0, times=None):
    """Filter positions (T,) of one keypoint of a person of :data:`SIZE`."""
    run = OneEuroFilter(strength)
    times = np.arange(len(signal)) / FPS if times is None else times
    return np.array(
        [
            run([5], np.full((1, 1, 2), x), [SIZE], t)[0, 0, 0]
            for x, t in zip(signal, times)
        ]
    )


def test_the_first_frame_is_as_it_was():
    assert smooth([42.0]).tolist() == [42.0]


def test_a_keypoint_at_rest_shakes_less_than_half_as_much():
    noise = np.random.default_rng(0).normal(0, 1, 300)

    assert smooth(noise)[30:].std() < noise.std() / 2


def test_a_stronger_filter_shakes_less():
    noise = np.random.default_rng(0).normal(0, 1, 300)

    shakes = [smooth(noise, strength)[30:].std() for strength in (0.25, 1, 4)]

    assert shakes == sorted(shakes, reverse=True)


@pytest.mark.parametrize(('speed', 'most'), [(1, 0.020), (3, 0.010), (8, 0.004)])
def test_who_moves_fast_does_not_lag(speed, most):
    """Sizes of the person a second, and seconds behind after a third of a second."""
    places = speed * SIZE * np.arange(40) / FPS

    behind = (places - smooth(places))[10:] / (speed * SIZE)

    assert 0 <= behind.max() < most


def test_a_jump_is_followed_within_a_tenth_of_a_second():
    places = np.repeat([0.0, 2 * SIZE], 20)

    assert smooth(places)[22] > 1.9 * SIZE


def test_people_near_and_far_are_smoothed_alike():
    noise = np.random.default_rng(0).normal(0, 1, (50, 1, 1, 2))

    def run(scale):
        each = OneEuroFilter()
        return [
            each([1], scale * x, [scale * SIZE], n / FPS) for n, x in enumerate(noise)
        ]

    assert np.allclose(np.array(run(4)), 4 * np.array(run(1)))


def test_time_counts_and_not_frames():
    """A steady drift sampled twice as often ends in the same place."""
    one = smooth(np.linspace(0, 50, 31), times=np.linspace(0, 1, 31))
    other = smooth(np.linspace(0, 50, 61), times=np.linspace(0, 1, 61))

    assert one[-1] == pytest.approx(other[-1], abs=0.5)


def test_after_a_gap_the_new_place_counts():
    times = np.array([0, 1, 2, 3, 63]) / FPS

    assert smooth([0, 0, 0, 0, 90.0], times=times)[-1] > 80


def test_people_are_smoothed_by_themselves():
    both, alone = OneEuroFilter(), OneEuroFilter()
    points = np.random.default_rng(0).normal(50, 2, (20, 2, 3, 2))

    together = [both([1, 2], each, [SIZE, SIZE], n) for n, each in enumerate(points)]
    by_itself = [alone([2], each[1:], [SIZE], n) for n, each in enumerate(points)]

    assert np.array_equal(together[-1][1:], by_itself[-1])


def test_who_is_not_kept_begins_anew():
    run = OneEuroFilter()
    run([1], np.zeros((1, 1, 2)), [SIZE], 0.0)

    run.keep([])

    assert run([1], np.full((1, 1, 2), 9.0), [SIZE], 0.1)[0, 0, 0] == 9


def test_a_saved_state_goes_on_bit_for_bit():
    points = np.random.default_rng(0).normal(50, 2, (9, 1, 3, 2)).astype(np.float32)
    whole, first, second = OneEuroFilter(), OneEuroFilter(), OneEuroFilter()
    for n, each in enumerate(points[:8]):
        whole([1], each, [SIZE], n / FPS), first([1], each, [SIZE], n / FPS)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))

    one, other = (run([1], points[8], [SIZE], 8 / FPS) for run in (whole, second))

    assert np.array_equal(one, other)


def test_nobody():
    assert OneEuroFilter()([], np.zeros((0, 17, 2)), [], 0.0).shape == (0, 17, 2)
