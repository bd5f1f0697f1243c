"""Calibration finds a known distortion, is measured on rows it has not seen, and leaves the unknown alone."""

import numpy as np
import pytest

from transfer.metrics.calibration_error import reliability
from transfer.metrics.scores import Floats, Ints
from transfer.metrics.temperature_scaling import FEWEST, Calibration, calibration_from, fit_calibration


def distorted(n: int, temperature: float, bias: tuple[float, ...], seed: int = 0) -> tuple[Floats, Ints]:
    """Answers of a labeller that would be honest but for a temperature and a bias; the right undoing is known."""
    rng = np.random.default_rng(seed)
    honest = rng.dirichlet(np.full(len(bias), 0.6), n).clip(1e-6)
    truth = np.array([rng.choice(len(bias), p=p / p.sum()) for p in honest])
    said = np.exp((np.log(honest) - np.asarray(bias)) * temperature)
    return said / said.sum(axis=1, keepdims=True), truth


def test_a_labeller_that_boasts_is_cooled_down() -> None:
    said, truth = distorted(4000, 3.0, (0.0, 0.0, 0.0))
    found = fit_calibration("temperature", said[:2000], truth[:2000])
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    assert found.bias == (0.0, 0.0, 0.0)
    before, after = reliability(said[2000:], truth[2000:]), reliability(found.apply(said[2000:]), truth[2000:])
    assert before.ece > 0.15
    assert after.ece < 0.05
    assert after.log_loss < before.log_loss
    assert (found.apply(said).argmax(axis=1) == said.argmax(axis=1)).all()


def test_a_leaning_towards_one_label_is_taken_out() -> None:
    said, truth = distorted(4000, 2.0, (-1.5, 0.5, 1.0))
    found = fit_calibration("bias", said[:2000], truth[:2000])
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert found.bias == pytest.approx((-1.5, 0.5, 1.0), abs=0.2)
    right = [(p[2000:].argmax(axis=1) == truth[2000:]).mean() for p in (said, found.apply(said))]
    assert right[1] > right[0] + 0.05


def test_batch_calibration_makes_the_mean_answer_even() -> None:
    said, truth = distorted(4000, 1.0, (-1.5, 0.5, 1.0))
    found = fit_calibration("batch", said, truth)
    means = np.array([said[truth == k].mean(axis=0) for k in range(3)]).mean(axis=0)
    assert found.apply(means[None])[0] == pytest.approx([1 / 3] * 3, abs=1e-4)
    assert (found.apply(said).argmax(axis=1) == truth).mean() > (said.argmax(axis=1) == truth).mean()


@pytest.mark.parametrize(
    ("temperature", "bias", "expected"),
    [(1.0, (0.0, 0.0, 0.0), "none"), (4.0, (0.0, 0.0, 0.0), "temperature"), (2.0, (-2.0, 1.0, 1.0), "bias")],
)
def test_auto_takes_the_simplest_that_is_enough(temperature: float, bias: tuple[float, ...], expected: str) -> None:
    said, truth = distorted(600, temperature, bias)
    assert fit_calibration("auto", said, truth, seed=1).kind == expected


def test_auto_leaves_a_small_gold_alone() -> None:
    said, truth = distorted(FEWEST - 1, 4.0, (-2.0, 1.0, 1.0))
    assert fit_calibration("auto", said, truth) == Calibration("none", 1.0, (0.0, 0.0, 0.0))


def test_few_rows_change_little() -> None:
    """Three answers that happened to be right do not make a labeller certain."""
    said = np.array([[0.6, 0.4], [0.6, 0.4], [0.4, 0.6]])
    found = fit_calibration("bias", said, np.array([0, 0, 1]))
    assert 0.25 < found.apply(said)[0, 1] < 0.4


def test_a_weight_counts_like_as_many_rows() -> None:
    said, truth = distorted(200, 3.0, (0.5, -0.5))
    weights = np.where(np.arange(200) < 100, 3.0, 1.0)
    rows = np.repeat(np.arange(200), weights.astype(int))
    weighted = fit_calibration("bias", said, truth, weights)
    repeated = fit_calibration("bias", said[rows], truth[rows])
    # the same but for the shrinkage, which counts rows
    assert weighted.temperature == pytest.approx(repeated.temperature, rel=0.05)
    assert weighted.bias == pytest.approx(repeated.bias, abs=0.05)


def test_what_is_unknown_stays_unknown() -> None:
    rows = np.array([[0.9, 0.1], [np.nan, np.nan], [0.6, 0.4]])
    label, found = Calibration("bias", 2.0, (-1.0, 1.0)).applied(np.array([0, 0, 0]), rows)
    assert np.isnan(found[1]).all()
    assert found[[0, 2]].sum(axis=1) == pytest.approx([1.0, 1.0])
    assert label.tolist() == [0 if found[0, 0] > 0.5 else 1, 0, 1]


def test_a_zero_and_a_certain_error_give_finite_numbers() -> None:
    found = fit_calibration("bias", np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 0]))
    assert np.isfinite(found.apply(np.array([[1.0, 0.0]]))).all()


def test_it_can_be_written_down_and_read_again() -> None:
    said, truth = distorted(300, 2.0, (0.3, -0.3))
    found = fit_calibration("bias", said, truth)
    assert calibration_from(found.as_dict()) == found
