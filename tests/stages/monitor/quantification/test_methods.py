"""The formulas, against QuaPy's where it has them, and against what must hold by their definition."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.monitor.quantification.methods import (
    adjusted,
    expectation_maximisation,
    onto_simplex,
    prediction_powered,
    rates,
)

Floats = NDArray[np.float64]


@pytest.fixture
def dice() -> np.random.Generator:
    return np.random.default_rng(7)


def confused(dice: np.random.Generator, labels: int) -> Floats:
    """Columns sum to 1; right a little more than half of the time."""
    return np.asarray(dice.dirichlet(np.ones(labels), labels).T * 0.45 + 0.55 * np.eye(labels))


def test_rates_are_weighted_means_of_the_outputs_of_each_label() -> None:
    outputs = np.array([[1.0, 0.0], [0.0, 1.0], [0.2, 0.8]])
    found = rates(outputs, np.array([0, 0, 1]), np.array([3.0, 1.0, 5.0]))
    assert found == pytest.approx(np.array([[0.75, 0.2], [0.25, 0.8]]))


def test_adjusted_counts_undo_the_confusion_exactly_where_they_can(dice: np.random.Generator) -> None:
    true, rate = dice.dirichlet(np.ones(4), 50), confused(dice, 4)
    assert adjusted(rate, true @ rate.T) == pytest.approx(true, abs=1e-9)


def test_adjusted_counts_are_quapys(dice: np.random.Generator) -> None:
    aggregative = pytest.importorskip("quapy.method.aggregative")
    rate, observed = confused(dice, 4), dice.dirichlet(np.full(4, 0.5), 40)
    found = adjusted(rate, observed)
    assert (found.min(axis=1) < 1e-9).any()  # some lie on the simplex' border, where there is no inverse
    for mine, seen in zip(found, observed, strict=True):
        theirs = aggregative.ACC.solve_adjustment(rate, seen, method="inversion", solver="minimize")
        assert mine == pytest.approx(theirs, abs=2e-3)  # SLSQP stops a little early: ours fits no worse
        assert np.square(rate @ mine - seen).sum() <= np.square(rate @ theirs - seen).sum() + 1e-9


def test_a_label_that_the_model_cannot_tell_gives_shares_all_the_same(dice: np.random.Generator) -> None:
    rate = np.array([[0.9, 0.1, 0.1], [0.05, 0.45, 0.45], [0.05, 0.45, 0.45]])
    found = adjusted(rate, dice.dirichlet(np.ones(3), 30))
    assert found.sum(axis=1) == pytest.approx(np.ones(30))
    assert found.min() >= 0


def test_the_projection_is_quapys_and_leaves_shares_alone(dice: np.random.Generator) -> None:
    functional = pytest.importorskip("quapy.functional")
    points = dice.normal(size=(60, 5))
    assert onto_simplex(points) == pytest.approx(np.array([functional.projection_simplex_sort(p) for p in points]))
    shares = dice.dirichlet(np.ones(5), 10)
    assert onto_simplex(shares) == pytest.approx(shares)


def test_expectation_maximisation_is_quapys(dice: np.random.Generator) -> None:
    aggregative = pytest.importorskip("quapy.method.aggregative")
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    periods = [dice.dirichlet(np.full(4, 0.4), 300) for _ in range(3)]
    found = [expectation_maximisation(p / prior, np.full((1, 300), 1 / 300), prior)[0] for p in periods]
    for mine, posteriors in zip(found, periods, strict=True):
        theirs, _ = aggregative.EMQ.EM(prior, posteriors, epsilon=1e-6)
        assert mine == pytest.approx(theirs, abs=2e-4)


def test_expectation_maximisation_takes_all_periods_at_once(dice: np.random.Generator) -> None:
    ratios, shares = dice.gamma(1.0, size=(20, 3)), dice.dirichlet(np.ones(20), 4)
    start = np.full(3, 1 / 3)
    one_by_one = [expectation_maximisation(ratios, row[None], start)[0] for row in shares]
    assert expectation_maximisation(ratios, shares, start) == pytest.approx(np.array(one_by_one), abs=2e-4)


def test_prediction_powered_shares_are_moved_by_the_weighted_mean_error() -> None:
    outputs = np.array([[0.8, 0.2], [0.6, 0.4]])
    found = prediction_powered(np.array([[0.5, 0.5]]), outputs, np.array([0, 1]), np.array([3.0, 1.0]))
    assert found[0, 0] == pytest.approx(0.5 + (3 * 0.2 + 1 * -0.6) / 4)
    far = prediction_powered(np.array([[0.9, 0.1]]), np.array([[0.1, 0.9]]), np.array([0]), np.ones(1))
    assert far[0].tolist() == [1, 0]  # 0.9 + 0.9 is no share
