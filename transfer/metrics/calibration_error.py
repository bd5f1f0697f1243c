"""Calibration: whether of a hundred predictions with probability 0.8 about eighty are right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.probabilities import log_losses
from transfer.metrics.scores import Floats, Ints

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answers whose likeliest label has a probability in (low, high]; the first bin has its lower end, too.

    n: how many. confidence: their mean probability. accuracy: the share of them that is right. Both None where n is 0.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """ece: expected calibration error, in [0, 1], 0 is best. log_loss: nats, at least 0. bins: BINS of equal width."""

    n: int
    ece: float
    log_loss: float
    bins: tuple[Bin, ...]


def reliability(probabilities: Floats, truth: Ints, weights: Floats | None = None) -> Reliability:
    """How far confidence lies from accuracy.

    probabilities: (N, K), rows sum to 1, none NaN. truth: (N,) in [0, K). weights: (N,), positive, or None for equal
    ones; they count in all means, not in n. Raises ValueError where N is 0.
    ECE = Σ_b w_b |accuracy_b − confidence_b|, w_b the bin's share: Guo et al., On Calibration of Modern Neural
    Networks (2017, arXiv 1706.04599), equation 3.
    """
    if len(truth) == 0:
        raise ValueError("no rows to measure calibration on")
    mass = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    confidence = probabilities.max(axis=1).astype(np.float64)
    is_right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    at = bin_of(probabilities)
    gaps = np.abs(np.bincount(at, mass * is_right, BINS) - np.bincount(at, mass * confidence, BINS)) / mass.sum()
    return Reliability(
        n=len(truth),
        ece=float(gaps.sum()),
        log_loss=float(log_losses(probabilities, truth) @ mass / mass.sum()),
        bins=tuple(_bin(b, at == b, confidence, is_right, mass) for b in range(BINS)),
    )


def bin_of(probabilities: Floats) -> Ints:
    """(N,) number of the bin, from 0, in which each row's largest probability lies."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    return np.asarray(np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1), dtype=np.int64)


def _bin(b: int, rows: NDArray[np.bool_], confidence: Floats, is_right: Floats, mass: Floats) -> Bin:
    low, high, n = b / BINS, (b + 1) / BINS, int(rows.sum())
    if not n:
        return Bin(low, high, n, None, None)
    share = mass[rows] / mass[rows].sum()
    return Bin(low, high, n, float(share @ confidence[rows]), float(share @ is_right[rows]))
