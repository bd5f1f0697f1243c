"""Cohen's κ: how far a labeller and people, or two people, agree beyond chance.

Its interval is a bootstrap's, as those of the other statistics: transfer.metrics.bootstrap.bootstrap_interval("kappa").
"""

import math

import numpy as np
from numpy.typing import NDArray


def cohen_kappa(confusion: NDArray[np.floating]) -> float:
    """(observed − chance) / (1 − chance) of a (K, K) confusion matrix, at most 1; NaN where chance agreement is 1.

    Cohen, A coefficient of agreement for nominal scales (1960).
    """
    shares = confusion / confusion.sum()
    chance = float(shares.sum(axis=0) @ shares.sum(axis=1))
    return math.nan if chance >= 1 else (float(np.trace(shares)) - chance) / (1 - chance)
