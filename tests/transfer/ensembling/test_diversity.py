"""Measures of diversity are those a hand computes."""

import numpy as np
import pytest

from transfer.ensembling.diversity import diversity

TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
ONE = np.array([0, 0, 0, 1, 1, 1, 2, 1, 2, 2])  # wrong about the 4th and the 7th
OTHER = np.array([0, 0, 0, 1, 1, 1, 1, 0, 2, 2])  # wrong about the 4th and the 8th


def test_two_members_are_compared_as_by_hand() -> None:
    found = diversity([np.eye(3)[ONE], np.eye(3)[OTHER]], TRUTH)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"]) == (0, 1)
    assert pair["disagreement"] == pytest.approx(0.2)
    assert pair["double_fault"] == pytest.approx(0.1)
    assert pair["q"] == pytest.approx((7 * 1 - 1 * 1) / (7 * 1 + 1 * 1))
    assert found["mean"] == {name: pair[name] for name in found["mean"]}


def test_kappa_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    found = diversity([np.eye(3)[ONE], np.eye(3)[OTHER]], TRUTH)["pairs"][0]
    assert found["kappa"] == pytest.approx(cohen_kappa_score(ONE, OTHER))


def test_what_is_undefined_is_none_and_not_a_number_of_its_own() -> None:
    same = np.eye(3)[np.zeros(10, dtype=int)]
    found = diversity([same, same], np.zeros(10, dtype=int))
    assert found["mean"]["kappa"] is None
    assert found["mean"]["q"] is None
    assert diversity([same], TRUTH) == {"pairs": [], "mean": dict.fromkeys(found["mean"])}
