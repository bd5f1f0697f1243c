"""Intervals are those of a plain bootstrap, and a paired difference sees what two intervals apart do not."""

import numpy as np
import pytest
from sklearn import metrics

from transfer.metrics.bootstrap import confusion_intervals, intervals, resampled_confusions
from transfer.metrics.calibration_error import reliability
from transfer.metrics.paired_bootstrap import paired_metric_differences
from transfer.metrics.scores import metric_value, score, squared_errors

LABELS = ("anger", "joy", "neutral")
RNG = np.random.default_rng(0)
TRUTH = RNG.choice(3, 300, p=[0.6, 0.3, 0.1])
PROBABILITIES = RNG.dirichlet(np.ones(3), 300) + 0.5 * np.eye(3)[TRUTH]
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)


def test_every_value_is_the_figure_itself() -> None:
    found, scores = intervals(PROBABILITIES, TRUTH, LABELS, seed=0), score(PROBABILITIES, TRUTH, LABELS)
    averaged = [f"{kind}_{name}" for kind in ("macro", "weighted") for name in ("precision", "recall", "f1")]
    for name in ("accuracy", "log_loss", *averaged):
        assert found[name]["value"] == pytest.approx(getattr(scores, name)), name
    assert found["ece"]["value"] == pytest.approx(reliability(PROBABILITIES, TRUTH).ece)
    assert found["brier"]["value"] == pytest.approx(squared_errors(PROBABILITIES, TRUTH).mean())
    for label in LABELS:
        for name, interval in found["per_class"][label].items():
            assert interval["value"] == pytest.approx(scores.per_class[label][name])
            assert interval["low"] <= interval["value"] <= interval["high"]


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    expected = metrics.brier_score_loss(TRUTH, PROBABILITIES, scale_by_half=False)
    assert squared_errors(PROBABILITIES, TRUTH).mean() == pytest.approx(expected)


def test_intervals_are_those_of_resampling_row_by_row() -> None:
    found = intervals(PROBABILITIES, TRUTH, LABELS, seed=5)
    rng = np.random.default_rng(5)
    drawn = [rng.integers(0, 300, 300) for _ in range(1000)]
    for name in ("accuracy", "macro_f1", "weighted_f1"):  # drawn from the matrix: other draws of the same distribution
        expected = np.percentile([metric_value(name, PROBABILITIES[rows], TRUTH[rows]) for rows in drawn], [2.5, 97.5])
        assert (found[name]["low"], found[name]["high"]) == pytest.approx(tuple(expected), abs=0.008)
    expected = np.percentile([reliability(PROBABILITIES[rows], TRUTH[rows]).ece for rows in drawn], [2.5, 97.5])
    assert (found["ece"]["low"], found["ece"]["high"]) == pytest.approx(tuple(expected))


def test_a_confusion_matrix_alone_tells_the_same_intervals_whoever_asks() -> None:
    confusion = score(PROBABILITIES, TRUTH, LABELS).confusion
    found, of_rows = confusion_intervals(confusion, LABELS), intervals(PROBABILITIES, TRUTH, LABELS, seed=7)
    assert found.items() <= of_rows.items()
    assert "per_class" not in confusion_intervals(confusion)
    certain = confusion_intervals([[5, 0], [0, 5]])
    assert (certain["accuracy"]["low"], certain["accuracy"]["high"]) == (1, 1)


def test_matrices_drawn_again_hold_as_many_rows_in_the_cells_that_had_some() -> None:
    confusion = np.array([[40, 10], [0, 50]])
    drawn = resampled_confusions(confusion, seed=3, resamples=500)
    assert set(drawn.sum(axis=(1, 2))) == {100}
    assert not drawn[:, 1, 0].any()
    assert drawn[:, 0, 1].mean() == pytest.approx(10, abs=0.5)
    assert drawn[:, 0, 1].std() == pytest.approx(3, abs=0.4)  # √(100 · 0.1 · 0.9)


def test_a_paired_difference_sees_a_small_gain_on_the_same_rows() -> None:
    """Two models that share nearly all errors: apart, their intervals overlap; paired, the gain is plain."""
    worse = PROBABILITIES.copy()
    right = np.flatnonzero(worse.argmax(axis=1) == TRUTH)[:12]
    worse[right] = np.roll(worse[right], 1, axis=1)
    found = paired_metric_differences(PROBABILITIES, worse, TRUTH, seed=0)
    assert found["accuracy"]["value"] == pytest.approx(12 / 300)
    assert found["accuracy"]["low"] > 0
    apart = [intervals(p, TRUTH, LABELS, seed=0)["accuracy"] for p in (PROBABILITIES, worse)]
    assert apart[0]["low"] < apart[1]["high"]
    back = paired_metric_differences(worse, PROBABILITIES, TRUTH, seed=0)
    assert back["macro_f1"]["value"] == pytest.approx(-found["macro_f1"]["value"])
    assert back["macro_f1"]["low"] <= 0


def test_a_model_is_not_better_than_itself() -> None:
    found = paired_metric_differences(PROBABILITIES, PROBABILITIES, TRUTH, seed=0)
    assert all(interval == {"value": 0, "low": 0, "high": 0} for interval in found.values())
    assert found["macro_f1"]["low"] <= 0


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "weighted_f1", "log_loss"])
def test_a_quick_figure_is_the_slow_one(metric: str) -> None:
    scores = score(PROBABILITIES, TRUTH, LABELS)
    assert metric_value(metric, PROBABILITIES, TRUTH) == pytest.approx(getattr(scores, metric))  # type: ignore[arg-type]


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="2 rows of probabilities for 1 labels"):
        intervals(PROBABILITIES[:2], TRUTH[:1], LABELS, seed=0)
