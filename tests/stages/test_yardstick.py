import numpy as np
import pytest

from stages.yardstick import Yardstick

LABELS = ("a", "b")
RIGHT = np.array([[0.9, 0.1], [0.1, 0.9]], dtype=np.float32)
WRONG = RIGHT[:, ::-1]
TRUTH = np.array([0, 1])


def test_without_a_target_it_is_macro_f1_on_validation() -> None:
    yardstick = Yardstick(LABELS, TRUTH, None, floor=0.98)
    assert yardstick.value({"validation": RIGHT}) == 1.0
    assert yardstick.value({"validation": WRONG}) == 0.0


def test_what_validation_loses_beyond_the_tolerance_is_taken_off() -> None:
    yardstick = Yardstick(LABELS, TRUTH, TRUTH, floor=0.78)
    assert yardstick.value({"validation": RIGHT, "target": RIGHT}) == 1.0
    assert yardstick.value({"validation": WRONG, "target": RIGHT}) == pytest.approx(1.0 - 0.78)


def test_a_loss_within_the_tolerance_costs_nothing() -> None:
    half = np.array([[0.9, 0.1], [0.9, 0.1]], dtype=np.float32)  # macro-F1 1/3 of truth (0, 1)
    yardstick = Yardstick(LABELS, TRUTH, TRUTH, floor=0.33)
    assert yardstick.value({"validation": half, "target": RIGHT}) == 1.0
