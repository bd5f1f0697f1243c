"""Probabilities from logits."""

import numpy as np

from transfer.engines.inference_engine import probabilities_from


def test_softmax_of_large_logits() -> None:
    np.testing.assert_allclose(
        probabilities_from(np.array([[1000.0, 1000.0], [-1000.0, 0.0]])), [[0.5, 0.5], [0.0, 1.0]]
    )
