"""Weights of examples by their labels."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from transfer.encoders.tokenization import Tokens
from transfer.training.recipe import Examples, class_weights, example_weights, one_hot


def examples_of(labels: list[int], weights: list[float] | None = None) -> Examples:
    n = len(labels)
    given = np.ones(n) if weights is None else np.array(weights)
    tokens = Tokens(np.full(n, 9, dtype=np.int32), np.arange(n + 1), tail=0, pad_id=0)
    return Examples(tokens, one_hot(np.array(labels), 3), given.astype(np.float32))


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = [0] * 6 + [1] * 3 + [2]
    examples = examples_of(labels)
    assert class_weights(examples) == pytest.approx(
        compute_class_weight("balanced", classes=np.arange(3), y=np.array(labels))
    )
    weights = example_weights(examples, "balanced")
    assert [weights[np.array(labels) == k].sum() for k in range(3)] == pytest.approx([10 / 3] * 3)
    assert example_weights(examples, "none").tolist() == [1.0] * 10


def test_balanced_weights_count_rows_by_their_own_weights() -> None:
    weights = example_weights(examples_of([0, 0, 1, 2], [2, 2, 1, 1]), "balanced")
    assert weights == pytest.approx([2 / 3, 2 / 3, 4 / 3, 4 / 3])


def test_a_label_that_never_occurs_or_hardly_ever_weighs_nothing_absurd() -> None:
    assert example_weights(examples_of([0, 0, 1, 1]), "balanced").tolist() == [1.0] * 4
    assert class_weights(examples_of([0] * 9999 + [1]))[1] == 100.0
