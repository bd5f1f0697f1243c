"""Arithmetic of probabilities that many modules share, in float64."""

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-12  # a probability of 0 that was wrong would cost an infinite loss


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K), rows sum to 1, of logits (N, K) of any scale."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """log p of each element, p clipped to LEAST."""
    return np.asarray(np.log(np.asarray(probabilities, dtype=np.float64).clip(LEAST)))


def log_losses(probabilities: NDArray[np.floating], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) -log p(true label) of each row, in nats, p clipped to LEAST. probabilities: (N, K). truth: (N,)."""
    return -logarithms(probabilities[np.arange(len(truth)), truth])
