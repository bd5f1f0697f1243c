"""Means of repeated runs of the same recipes with different seeds, and their intervals."""

import math
from collections.abc import Sequence

import numpy as np


def pooled_intervals(runs: Sequence[Sequence[float]]) -> list[tuple[float, float | None, float | None]]:
    """Mean and 95 % interval (mean, low, high) of each recipe's runs, of which there may be different numbers.

    All recipes are taken to scatter alike from seed to seed: with s² = Σᵢⱼ (xᵢⱼ - x̄ᵢ)² / Σᵢ (nᵢ - 1) the interval is
    x̄ᵢ ± t(0.975; Σᵢ (nᵢ - 1)) · s / √nᵢ, the one-way analysis of variance's (Fisher, 1925; Montgomery, Design and
    Analysis of Experiments, section 3.3). Three runs of one recipe alone would give an interval as wide as the table.
    low and high are None where no recipe has two runs. Raises ValueError for a recipe without a run.
    """
    if any(not values for values in runs):
        raise ValueError("a recipe without a run has no mean")
    means = [float(np.mean(values)) for values in runs]
    freedom = sum(len(values) - 1 for values in runs)
    if not freedom:
        return [(mean, None, None) for mean in means]
    from scipy.stats import t

    squares = sum(float(((np.asarray(values) - mean) ** 2).sum()) for values, mean in zip(runs, means, strict=True))
    reach = float(t.ppf(0.975, freedom)) * math.sqrt(squares / freedom)
    return [
        (mean, mean - reach / math.sqrt(len(values)), mean + reach / math.sqrt(len(values)))
        for mean, values in zip(means, runs, strict=True)
    ]
