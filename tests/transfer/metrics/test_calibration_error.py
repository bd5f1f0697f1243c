"""Reliability: a sum by hand, weights, and answers that are always sure."""

import numpy as np
import pytest

from transfer.metrics.calibration_error import reliability

SURE = np.array([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.4, 0.6]])


def test_the_error_is_that_of_a_sum_by_hand() -> None:
    """Bins: two at .95 of which one is right, one at .65 that is right, one at .6 that is wrong."""
    found = reliability(SURE, np.array([0, 1, 1, 0]))
    assert found.ece == pytest.approx((2 * abs(0.5 - 0.95) + abs(1 - 0.65) + abs(0 - 0.6)) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.95, 0.05, 0.65, 0.4]).mean())
    filled = [(b.low, b.n, b.confidence, b.accuracy) for b in found.bins if b.n]
    assert filled == [pytest.approx(x) for x in ((0.5, 1, 0.6, 0.0), (0.6, 1, 0.65, 1.0), (0.9, 2, 0.95, 0.5))]
    assert sum(b.n for b in found.bins) == 4
    assert all(b.accuracy is None for b in found.bins if not b.n)


def test_a_weight_counts_like_as_many_rows() -> None:
    truth, weights = np.array([0, 1, 1, 0]), np.array([3.0, 1.0, 1.0, 2.0])
    rows = np.repeat(np.arange(4), weights.astype(int))
    weighted, repeated = reliability(SURE, truth, weights), reliability(SURE[rows], truth[rows])
    assert weighted.ece == pytest.approx(repeated.ece)
    assert weighted.log_loss == pytest.approx(repeated.log_loss)
    assert weighted.bins[9].accuracy == pytest.approx(0.75)


def test_honest_answers_have_hardly_any_error_and_boasts_have_much() -> None:
    rng = np.random.default_rng(0)
    honest = rng.dirichlet(np.ones(3), 20_000)
    truth = np.array([rng.choice(3, p=p) for p in honest])
    assert reliability(honest, truth).ece < 0.02
    boasts = honest**4 / (honest**4).sum(axis=1, keepdims=True)
    assert reliability(boasts, truth).ece > 0.15


def test_no_rows_are_no_judgement() -> None:
    with pytest.raises(ValueError, match="no rows"):
        reliability(np.empty((0, 2)), np.empty(0, dtype=np.int64))
