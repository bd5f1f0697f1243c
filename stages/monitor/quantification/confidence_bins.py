"""Confidence bins: comments with the same predicted label, of which the model was about equally sure.

Counts of a few dozen bins are all that the corrections need, so that no comment is read twice; and as whole numbers
they add up to the same line in any order of rows.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Doubt, 1 − the largest probability, is cut in about equal steps of its logarithm: most models are sure of most texts.
CUTS = np.array([0.002, 0.01, 0.03, 0.08, 0.2, 0.35, 0.5])
MOST = 64  # bins in all; with many labels fewer cuts, for memory goes with days × bins × resamples


class ConfidenceBins:
    """Which bin a comment is in. A bin's number is label × levels + level."""

    def __init__(self, labels: int) -> None:
        self.labels = labels
        keep = max(1, MOST // labels - 1)  # cuts
        self.cuts = CUTS[np.linspace(0, len(CUTS) - 1, min(keep, len(CUTS))).round().astype(int)]
        self.levels = len(self.cuts) + 1

    def __len__(self) -> int:
        return self.labels * self.levels

    def of(self, label: Integers, probabilities: Floats) -> Integers:
        """(N,) numbers. label: (N,) predicted. probabilities: (N, K)."""
        doubt = 1 - probabilities.max(axis=1)
        return np.asarray(label * self.levels + np.searchsorted(self.cuts, doubt))

    def by_label(self, counts: Floats | Integers) -> Floats:
        """Counts of bins (P, M, ...) summed to counts of labels (P, K, ...)."""
        return np.asarray(counts.reshape(len(counts), self.labels, self.levels, *counts.shape[2:]).sum(axis=2))
