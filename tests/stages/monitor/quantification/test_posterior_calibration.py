import numpy as np
import pytest

from stages.monitor.quantification.posterior_calibration import calibrated, calibration, identity


def scored(
    seed: int, n: int = 600
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Probabilities that are too sure and lean to the second label, with their truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n)
    scores = rng.normal(size=(n, 4))
    scores[np.arange(n), truth] += 1.5
    odds = np.exp(3 * scores + np.array([0, 1, -1, 0]))
    return odds / odds.sum(axis=1, keepdims=True), truth


def test_overconfidence_and_lean_are_undone() -> None:
    probabilities, truth = scored(1, 4_000)
    found = calibration(probabilities, truth, np.ones(len(truth)))
    assert found[0] == pytest.approx(0.5, abs=0.05)  # of 3 × the score, 1.5 × is right
    assert found[1] - 0.5 == pytest.approx(-1, abs=0.25)
    means = calibrated(found, probabilities).mean(axis=0)
    assert means == pytest.approx(np.bincount(truth) / len(truth), abs=0.002)


def test_the_fit_is_that_of_abstentions_bias_corrected_temperature_scaling() -> None:
    abstention = pytest.importorskip("abstention.calibration")
    probabilities, truth = scored(2)
    logs = np.log(np.maximum(probabilities, 1e-6))
    theirs = abstention.TempScaling(bias_positions="all", verbose=False)(logs, np.eye(4)[truth])(logs)
    ours = calibrated(calibration(probabilities, truth, np.ones(len(truth))), probabilities)
    assert ours == pytest.approx(theirs, abs=0.01)  # ours has a weak prior


def test_weights_count_as_repetitions() -> None:
    probabilities, truth = scored(3, 200)
    weights = np.random.default_rng(4).integers(1, 4, 200)
    weighted = calibration(probabilities, truth, weights.astype(float))
    repeated = calibration(np.repeat(probabilities, weights, axis=0), np.repeat(truth, weights), np.ones(weights.sum()))
    assert weighted == pytest.approx(repeated, abs=0.04)  # but for the prior, which is worth one row


def test_a_model_that_is_always_right_and_sure_gives_finite_parameters() -> None:
    truth = np.arange(40) % 2
    found = calibration(np.eye(2)[truth], truth, np.ones(40))
    assert np.isfinite(found).all()
    assert calibrated(found, np.eye(2)).argmax(axis=1).tolist() == [0, 1]


def test_the_identity_changes_nothing() -> None:
    probabilities, _ = scored(5, 50)
    assert calibrated(identity(4), probabilities) == pytest.approx(probabilities, abs=1e-5)
