"""What is learnt about members helps on rows that were not looked at, and claims no more than it does there."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from transfer.ensembling.combination import COMBINATIONS, FITTED, Combination, Mixture, mixture_from, tempered
from transfer.ensembling.fit_weights import ROUNDS, Rows, cross_fitted, fit_mixture, folds_of
from transfer.metrics.scores import metric_value

K = 4
ALL = (*COMBINATIONS, *FITTED)


def voters(n: int, skills: tuple[float, ...], seed: int) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
    """Members (n, K) that see the truth through noise of their own, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, K, n)
    members = []
    for skill in skills:
        raised = np.exp(skill * np.eye(K)[truth] + rng.normal(size=(n, K)))
        members.append((raised / raised.sum(axis=1, keepdims=True)).astype(np.float32))
    return members, truth


def rows_of(truth: NDArray[np.int64], members: list[NDArray[np.float32]]) -> Rows:
    return Rows(truth, np.ones(len(truth)), lambda p, at: metric_value("macro_f1", p, truth[at]))


def test_weights_follow_skill_and_sum_to_one() -> None:
    members, truth = voters(2000, (3.0, 1.0, 0.0), seed=0)
    found = fit_mixture("weighted", members, rows_of(truth, members), top=3, calibrated=False)
    weights = found.mixture.weights
    assert sum(weights) == pytest.approx(1)
    assert list(weights) == sorted(weights, reverse=True)
    assert weights[0] > 0.8
    assert all(weight >= 0 for weight in weights)


def test_weights_are_those_of_the_largest_likelihood() -> None:
    members, truth = voters(400, (2.0, 1.5), seed=1)
    found = fit_mixture("weighted", members, rows_of(truth, members), top=2, calibrated=False)

    def loss(weight: float) -> float:
        return metric_value("log_loss", weight * members[0] + (1 - weight) * members[1], truth)

    best = min(np.linspace(0, 1, 101), key=loss)
    assert found.mixture.weights[0] == pytest.approx(best, abs=0.03)


def test_greedy_takes_members_again_and_never_more_than_allowed() -> None:
    members, truth = voters(600, (1.5, 1.4, 1.3, 1.2, 1.1, 1.0), seed=2)
    rows = rows_of(truth, members)
    found = fit_mixture("greedy", members, rows, top=3, calibrated=False)
    assert 1 < len(found.members) <= 3
    counts = np.array(found.mixture.weights)
    assert any(np.allclose(counts * n, np.round(counts * n), atol=1e-6) for n in range(1, ROUNDS + 1))
    best_single = max(metric_value("macro_f1", member, truth) for member in members)
    assert metric_value("macro_f1", found.apply(members), truth) >= best_single


def test_greedy_leaves_out_a_member_that_only_harms() -> None:
    members, truth = voters(800, (2.0, 2.0), seed=3)
    against = np.roll(np.eye(K, dtype=np.float32)[truth], 1, axis=1)
    found = fit_mixture("greedy", [*members, against], rows_of(truth, members), top=3, calibrated=False)
    assert 2 not in found.members


def test_stacking_turns_a_member_round_that_is_always_wrong_alike() -> None:
    members, truth = voters(800, (0.5,), seed=4)
    turned = 0.7 * np.roll(np.eye(K, dtype=np.float32)[truth], 1, axis=1) + 0.3 / K
    fitted = cross_fitted("stacking", [members[0], turned], rows_of(truth, members), top=2, calibrated=False, seed=0)
    plain = Mixture("mean").apply([members[0], turned])
    assert metric_value("accuracy", fitted, truth) > 0.95
    assert metric_value("accuracy", plain, truth) < 0.5


@pytest.mark.parametrize("labels", [2, 1])
def test_stacking_knows_what_to_do_where_labels_are_missing(labels: int) -> None:
    members, _ = voters(100, (1.0, 1.0), seed=5)
    truth = np.arange(100) % labels
    said = fit_mixture("stacking", members, rows_of(truth, members), top=2, calibrated=False).apply(members)
    assert np.isfinite(said).all()
    assert said[:, labels:].max() < 1e-6


@pytest.mark.parametrize("how", FITTED)
def test_cross_fitted_figures_are_those_of_rows_never_seen(how: Combination) -> None:
    """Members that know nothing: on rows it was fitted on, a mixture looks better than chance; by folds it must not."""
    rng = np.random.default_rng(6)
    truth = rng.integers(0, K, 300)
    members = [rng.dirichlet(np.ones(K), 300).astype(np.float32) for _ in range(12)]
    rows = rows_of(truth, members)
    honest = cross_fitted(how, members, rows, top=12, calibrated=False, seed=0)
    flattered = fit_mixture(how, members, rows, top=12, calibrated=False).apply(members)
    assert metric_value("accuracy", honest, truth) == pytest.approx(1 / K, abs=0.06)
    assert metric_value("log_loss", honest, truth) > metric_value("log_loss", flattered, truth)


@pytest.mark.parametrize("how", ALL)
@pytest.mark.parametrize("calibrated", [False, True])
def test_every_mixture_is_written_down_and_read_back(how: Combination, calibrated: bool) -> None:
    members, truth = voters(200, (2.0, 1.0, 1.0), seed=7)
    found = fit_mixture(how, members, rows_of(truth, members), top=3, calibrated=calibrated)
    again = mixture_from(json.loads(json.dumps(found.mixture.as_dict())))
    chosen = [members[m] for m in found.members]
    np.testing.assert_array_equal(again.apply(chosen), found.mixture.apply(chosen))
    np.testing.assert_allclose(again.apply(chosen).sum(axis=1), 1, atol=1e-6)


def test_temperatures_put_overconfidence_right() -> None:
    members, truth = voters(2000, (1.0, 1.0), seed=8)
    sharp = [tempered(member, 0.2).astype(np.float32) for member in members]
    rows = rows_of(truth, sharp)
    found = fit_mixture("mean", sharp, rows, top=2, calibrated=True)
    assert all(temperature > 2 for temperature in found.mixture.temperatures)
    honest = cross_fitted("mean", sharp, rows, top=2, calibrated=True, seed=0)
    assert metric_value("log_loss", honest, truth) < metric_value("log_loss", Mixture("mean").apply(sharp), truth)


def test_folds_hold_each_label_alike() -> None:
    truth = np.repeat([0, 1, 2], [50, 10, 5])
    fold = folds_of(truth, seed=1)
    for label, n in ((0, 10), (1, 2), (2, 1)):
        assert list(np.bincount(fold[truth == label], minlength=5)) == [n] * 5


def test_a_mixture_refuses_other_members_than_it_was_fitted_on() -> None:
    with pytest.raises(ValueError, match="3 members for a mixture of 2"):
        Mixture("weighted", (0.5, 0.5)).apply([np.full((1, 2), 0.5)] * 3)
    with pytest.raises(ValueError, match="1 members for a mixture of 2"):
        Mixture("stacking", (), (), ((0.0, 0.0),) * 4, (0.0, 0.0)).apply([np.full((1, 2), 0.5)])
