"""Arithmetic of probabilities."""

import numpy as np

from transfer.metrics.probabilities import LEAST, log_losses, softmax


def test_softmax_takes_logits_of_any_size() -> None:
    found = softmax(np.array([[1e4, 1e4 - np.log(3)], [-1e4, -1e4]]))
    np.testing.assert_allclose(found, [[0.75, 0.25], [0.5, 0.5]])


def test_the_loss_of_a_label_given_no_probability_is_finite() -> None:
    probabilities = np.array([[0.0, 1.0], [0.25, 0.75]], dtype=np.float32)
    np.testing.assert_allclose(log_losses(probabilities, np.array([0, 1])), [-np.log(LEAST), -np.log(0.75)])
