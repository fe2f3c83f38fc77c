# Copyright (c) onestage_pose contributors.
from onestage_pose.evaluation.calibration import fit_covariance_scale, fit_platt
from onestage_pose.evaluation.probabilities import (
    auroc,
    average_precision,
    brier_score,
    expected_calibration_error,
    reliability,
    share_inside_ellipses,
)

import numpy as np
import pytest

PROBABILITY = np.array([0.9, 0.8, 0.8, 0.3, 0.1])
HAPPENED = np.array([True, False, True, True, False])


def test_auroc_is_the_share_of_pairs_in_order():
    # of six pairs four are in order and one is a tie
    assert auroc(PROBABILITY, HAPPENED) == pytest.approx(4.5 / 6)


def test_average_precision_takes_equal_probabilities_at_once():
    expected = (1 / 1 + 2 / 3 + 3 / 4) / 3
    assert average_precision(PROBABILITY, HAPPENED) == pytest.approx(expected)


def test_brier_score_is_the_mean_squared_error():
    expected = (0.01 + 0.64 + 0.04 + 0.49 + 0.01) / 5
    assert brier_score(PROBABILITY, HAPPENED) == pytest.approx(expected)


def test_reliability_compares_means_with_shares_bin_by_bin():
    found = reliability(PROBABILITY, HAPPENED, 2)
    assert found[0] == pytest.approx((0.2, 0.5, 2))
    assert found[1] == pytest.approx((2.5 / 3, 2 / 3, 3))


def test_calibration_error_weighs_the_bins_by_their_numbers():
    expected = 0.4 * 0.3 + 0.6 * (2.5 - 2) / 3
    assert expected_calibration_error(PROBABILITY, HAPPENED, 2) == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    'measure', [auroc, average_precision, brier_score, expected_calibration_error]
)
def test_nothing_to_measure_is_minus_one(measure):
    assert measure(np.zeros(0), np.zeros(0, bool)) == -1


def test_certainty_of_one_has_a_bin():
    assert reliability(np.ones(2), np.ones(2, bool)) == [(1.0, 1.0, 2)]


def gaussian(number, covariance):
    return np.random.RandomState(0).multivariate_normal((0, 0), covariance, number)


def test_ellipses_hold_the_share_of_a_gaussian():
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    errors = gaussian(20000, covariance)
    found = share_inside_ellipses(errors, np.broadcast_to(covariance, (20000, 2, 2)))
    assert found[0.5] == pytest.approx(0.5, abs=0.01)
    assert found[0.9] == pytest.approx(0.9, abs=0.01)


def test_covariances_are_scaled_until_the_ellipses_hold_their_share():
    errors = gaussian(20000, np.eye(2) * 3)
    found = fit_covariance_scale(errors, np.broadcast_to(np.eye(2), (20000, 2, 2)))
    assert found == pytest.approx(3, rel=0.03)


def test_platt_scaling_undoes_scale_and_shift():
    random = np.random.RandomState(0)
    logits = random.normal(0, 2, 40000)
    happened = random.rand(40000) < 1 / (1 + np.exp(-(0.5 * logits + 1)))
    scale, shift = fit_platt(1 / (1 + np.exp(-logits)), happened)
    assert scale == pytest.approx(0.5, abs=0.03)
    assert shift == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize('kind', [True, False])
def test_one_kind_alone_calibrates_nothing(kind):
    assert fit_platt(np.array([0.2, 0.9]), np.array([kind, kind])) == (1.0, 0.0)
