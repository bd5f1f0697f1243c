"""A small even sample of all comments' probabilities: what a bin's mean becomes once posteriors are calibrated.

A mean of probabilities cannot be calibrated after the fact, for calibration is not linear; a sample of them can.
"""

import numpy as np
from numpy.typing import NDArray

from stages.monitor.quantification.poisson_bootstrap import mixed

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]

SIZE = 16_384  # rows: 500 for each of 32 bins


class PosteriorSample:
    """The rows with the smallest hashes of author, time and probabilities: the same rows in whatever order they come.

    bins: (S,) their numbers. probabilities: (S, K).
    """

    def __init__(self, labels: int) -> None:
        self._hashes = np.empty(0, np.uint64)
        self.bins = np.empty(0, np.int64)
        self.probabilities = np.empty((0, labels))

    def add(self, clusters: Hashes, times: Integers, bins: Integers, probabilities: Floats) -> None:
        """Takes in rows, (N,) each, probabilities (N, K)."""
        bits = np.ascontiguousarray(probabilities[:, 0]).view(np.uint64) ^ times.view(np.uint64)
        hashes = mixed(clusters ^ mixed(bits))
        limit = self._hashes[-1] if len(self._hashes) == SIZE else np.uint64(2**64 - 1)
        rows = np.flatnonzero(hashes <= limit)
        joined = np.concatenate([self._hashes, hashes[rows]])
        kept = np.argsort(joined, kind="stable")[:SIZE]
        self._hashes = joined[kept]
        self.bins = np.concatenate([self.bins, bins[rows]])[kept]
        self.probabilities = np.concatenate([self.probabilities, probabilities[rows]])[kept]
