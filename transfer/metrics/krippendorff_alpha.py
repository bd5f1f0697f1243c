"""Agreement between several annotators of the same texts, none of them the truth."""

import math

import numpy as np

from transfer.metrics.scores import Ints


def krippendorff_alpha(given: Ints, n_labels: int) -> float:
    """Krippendorff's α for nominal labels: 1 is full agreement, 0 what chance gives, below 0 worse.

    given: (R, N) labels in [0, n_labels) by R raters of N texts, -1 where a rater gave none. Texts with fewer than two
    labels do not count. NaN where no text has two, or all labels are one.
    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C.
    """
    counts = np.stack([(given == label).sum(axis=0) for label in range(n_labels)], axis=1).astype(np.float64)  # (N, K)
    raters = counts.sum(axis=1)
    counts, raters = counts[raters > 1], raters[raters > 1]
    totals = counts.sum(axis=0)
    n = totals.sum()
    if not n or np.count_nonzero(totals) < 2:
        return math.nan
    observed = ((raters**2 - (counts**2).sum(axis=1)) / (raters - 1)).sum() / n
    expected = (n**2 - (totals**2).sum()) / (n * (n - 1))
    return float(1 - observed / expected)
