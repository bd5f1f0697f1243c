"""Metrics agree with scikit-learn's, kappa with a sum by hand, intervals with what they promise."""

import json
import math
import warnings
from typing import Literal

import numpy as np
import pytest
from sklearn import metrics

from transfer.metrics.bootstrap import bootstrap_interval
from transfer.metrics.paired_bootstrap import bootstrap_gain
from transfer.metrics.scores import DIRECTIONS, Scores, score

Statistic = Literal["accuracy", "macro_f1", "kappa"]
STATISTICS: tuple[Statistic, ...] = ("accuracy", "macro_f1", "kappa")

LABELS = ("anger", "joy", "neutral", "sadness")
RNG = np.random.default_rng(0)
TRUTH = RNG.choice(4, 200, p=[0.5, 0.3, 0.15, 0.05])
PROBABILITIES = RNG.dirichlet(np.ones(4), 200) + 0.4 * np.eye(4)[TRUTH]
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)
PREDICTED = PROBABILITIES.argmax(axis=1)


def test_every_figure_is_that_of_scikit_learn() -> None:
    scores = score(PROBABILITIES, TRUTH, LABELS)
    assert scores.n == 200
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(TRUTH, PREDICTED))
    assert scores.log_loss == pytest.approx(metrics.log_loss(TRUTH, PROBABILITIES))
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            expected = getattr(metrics, f"{name}_score")(TRUTH, PREDICTED, average=average)
            assert getattr(scores, f"{average}_{name}") == pytest.approx(expected)
    assert np.array_equal(scores.confusion, metrics.confusion_matrix(TRUTH, PREDICTED))
    report = metrics.classification_report(TRUTH, PREDICTED, target_names=LABELS, output_dict=True)
    for k, label in enumerate(LABELS):
        own = scores.per_class[label]
        assert own["precision"] == pytest.approx(report[label]["precision"])
        assert own["recall"] == pytest.approx(report[label]["recall"])
        assert own["f1"] == pytest.approx(report[label]["f1-score"])
        assert own["support"] == report[label]["support"]
        assert own["accuracy"] == pytest.approx(np.mean(np.equal(TRUTH, k) == np.equal(PREDICTED, k)))


def test_a_label_that_is_absent_counts_zero_and_warns_nobody() -> None:
    truth = np.array([0, 0, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(np.eye(3)[[0, 0, 1, 0]], truth, LABELS[:3])
    assert scores.per_class["neutral"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "accuracy": 1.0, "support": 0}
    assert scores.macro_f1 == pytest.approx((0.8 + 2 / 3 + 0) / 3)
    assert scores.weighted_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert scores.confusion == ((2, 0, 0), (1, 1, 0), (0, 0, 0))


def test_a_certain_error_costs_a_finite_loss() -> None:
    assert score(np.eye(2), np.array([1, 0]), LABELS[:2]).log_loss == pytest.approx(-math.log(1e-12))


def test_each_metric_knows_its_direction() -> None:
    right, wrong = score(np.eye(2), np.array([0, 1]), LABELS[:2]), score(np.eye(2), np.array([1, 0]), LABELS[:2])
    for metric, direction in DIRECTIONS.items():
        better = right.value(metric) - wrong.value(metric)
        assert (better > 0) is (direction == "maximize")


def test_scores_are_plain_json() -> None:
    scores = score(PROBABILITIES.astype(np.float32), TRUTH, LABELS)
    told = json.loads(json.dumps(scores.as_dict()))
    assert told["confusion"] == [list(row) for row in scores.confusion]
    assert told["labels"] == list(LABELS)
    assert told["macro_f1"] == scores.macro_f1
    assert set(told) == set(Scores.__dataclass_fields__)


@pytest.mark.parametrize(("rows", "truth"), [(0, []), (2, [0]), (1, [0, 1])])
def test_rows_that_do_not_match_are_refused(rows: int, truth: list[int]) -> None:
    with pytest.raises(ValueError, match="probabilities for"):
        score(np.full((rows, 4), 0.25), np.array(truth, dtype=np.int64), LABELS)


def test_kappa_is_that_of_the_textbook() -> None:
    """Of 50 both say yes to 20 and no to 15: κ = (.70 − .50) / (1 − .50) = .40, and so says scikit-learn."""
    truth = np.array([1] * 25 + [0] * 25)
    predicted = np.array([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    value, low, high = bootstrap_interval("kappa", predicted, truth, 2, seed=0)
    assert value == pytest.approx(0.4)
    assert value == pytest.approx(metrics.cohen_kappa_score(truth, predicted))
    assert (low, high) == pytest.approx((0.15, 0.65), abs=0.06)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_an_interval_surrounds_the_value_and_follows_from_its_seed(statistic: Statistic) -> None:
    value, low, high = bootstrap_interval(statistic, PREDICTED, TRUTH, 4, seed=3)
    expected = {
        "accuracy": metrics.accuracy_score(TRUTH, PREDICTED),
        "macro_f1": metrics.f1_score(TRUTH, PREDICTED, average="macro"),
        "kappa": metrics.cohen_kappa_score(TRUTH, PREDICTED),
    }
    assert value == pytest.approx(expected[statistic])
    assert low < value < high
    again = bootstrap_interval(statistic, PREDICTED, TRUTH, 4, seed=3)
    assert again == (value, low, high)
    other = bootstrap_interval(statistic, PREDICTED, TRUTH, 4, seed=4)
    assert other != again


def test_the_interval_of_an_accuracy_has_the_width_of_theory() -> None:
    truth = np.zeros(400, dtype=np.int64)
    predicted = np.array([0] * 300 + [1] * 100)
    _, low, high = bootstrap_interval("accuracy", predicted, truth, 2, seed=1, resamples=4000)
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.004)


def test_weights_stand_for_the_rows_that_were_not_drawn() -> None:
    truth, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    weights = np.array([3.0, 1.0, 1.0, 1.0])
    rows = np.repeat(np.arange(4), weights.astype(int))
    for statistic in STATISTICS:
        weighted, *_ = bootstrap_interval(statistic, predicted, truth, 2, seed=0, weights=weights)
        repeated, *_ = bootstrap_interval(statistic, predicted[rows], truth[rows], 2, seed=0)
        assert weighted == pytest.approx(repeated)
    # Fewer effective rows are less certain, and the scale of the weights is none of its business.
    many = np.tile(predicted, 25), np.tile(truth, 25)
    uneven = np.where(np.arange(100) < 10, 20.0, 1.0)
    even = bootstrap_interval("accuracy", *many, 2, seed=0)
    skewed = bootstrap_interval("accuracy", *many, 2, seed=0, weights=uneven)
    assert skewed[2] - skewed[1] > 1.5 * (even[2] - even[1])
    assert bootstrap_interval("accuracy", *many, 2, seed=0, weights=uneven * 7) == pytest.approx(skewed)


def test_kappa_of_one_label_alone_is_no_number_and_warns_nobody() -> None:
    same = np.zeros(5, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(math.isnan(x) for x in bootstrap_interval("kappa", same, same, 2, seed=0))


def test_a_gain_is_judged_on_the_same_rows_and_so_more_sharply() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    before = np.where(rng.random(300) < 0.6, truth, (truth + 1) % 3)
    after = np.where(rng.random(300) < 0.15, truth, before)  # better in some rows, alike in the others
    value, low, high = bootstrap_gain("accuracy", (before, after), truth, 3, seed=0)
    one, other = (bootstrap_interval("accuracy", said, truth, 3, seed=0) for said in (before, after))
    assert value == pytest.approx(other[0] - one[0])
    assert 0 < low < value < high
    share = float(np.mean(after != before))  # each such row adds 1, so theory knows the width
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(share * (1 - share) / 300), rel=0.1)
    assert one[2] > other[1]  # apart, the intervals would not have shown it
    assert bootstrap_gain("kappa", (before, before), truth, 3, seed=0) == (0, 0, 0)


def test_a_gains_rows_count_by_their_weights() -> None:
    truth, before, after = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1])
    assert bootstrap_gain("accuracy", (before, after), truth, 2, seed=0)[0] == 0
    weights = np.array([1.0, 3.0, 1.0, 1.0])
    assert bootstrap_gain("accuracy", (before, after), truth, 2, seed=0, weights=weights)[0] == pytest.approx(2 / 6)
