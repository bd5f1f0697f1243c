import numpy as np
import pytest

from stages.study_runs.selection_metric import SelectionMetric

LABELS = ("a", "b")
RIGHT = np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32)
WRONG = RIGHT[:, ::-1]
TRUTH = np.array([0, 1])


def test_without_a_target_it_is_macro_f1_on_validation() -> None:
    yardstick = SelectionMetric(LABELS, TRUTH, None, floor=0.98)
    assert yardstick.value({"validation": RIGHT}) == 1.0
    assert yardstick.value({"validation": WRONG}) == 0.0


def test_what_validation_loses_beyond_the_tolerance_is_taken_off() -> None:
    yardstick = SelectionMetric(LABELS, TRUTH, TRUTH, floor=0.78)
    assert yardstick.value({"validation": RIGHT, "target": RIGHT}) == 1.0
    assert yardstick.value({"validation": WRONG, "target": RIGHT}) == pytest.approx(1.0 - 0.78)


def test_a_loss_within_the_tolerance_costs_nothing() -> None:
    half = np.array([[0.9, 0.1], [0.9, 0.1]], dtype=np.float32)  # macro-F1 1/3 of truth (0, 1)
    yardstick = SelectionMetric(LABELS, TRUTH, TRUTH, floor=0.33)
    assert yardstick.value({"validation": half, "target": RIGHT}) == 1.0


def test_its_interval_holds_what_both_splits_may_be_by_chance() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    said = np.where(rng.random(200) < 0.2, 1 - truth, truth)
    probabilities = np.eye(2)[said] * 0.8 + 0.1
    both = {"validation": probabilities, "target": probabilities}
    found = SelectionMetric(LABELS, truth, truth, floor=0.5).interval(both)
    assert found["value"] == SelectionMetric(LABELS, truth, truth, floor=0.5).value(both)
    width = 2 * 1.96 * np.sqrt(0.8 * 0.2 / 200)  # of accuracy, which macro-F1 is nearly here
    assert found["high"] - found["low"] == pytest.approx(width, rel=0.15)
    assert found["low"] < found["value"] < found["high"]
    penalised = SelectionMetric(LABELS, truth, truth, floor=0.9).interval(both)
    assert penalised["high"] - penalised["low"] > 1.3 * width  # what validation loses is as uncertain
    assert penalised["value"] < found["value"]


def test_the_interval_of_a_loss_turns_round_with_its_sign() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.8, 0.2]])
    found = SelectionMetric(LABELS, np.array([0, 1, 1, 1]), None, 0.0, "log_loss").interval(
        {"validation": probabilities}
    )
    assert found["low"] < found["value"] < found["high"] < 0
