"""Several models' probabilities made into one, with equal weights."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Combination = Literal["mean", "product", "maximum", "minimum"]
COMBINATIONS: tuple[Combination, ...] = ("mean", "product", "maximum", "minimum")


def combine(members: Sequence[NDArray[np.floating]], how: Combination) -> NDArray[np.float32]:
    """One distribution for each text out of the members' distributions.

    members: at least one array (N, K), rows sum to 1, all of one shape. Returns (N, K) float32, rows sum to 1.
    Product, maximum and minimum are normalised again: what comes out of the rule alone is no distribution
    (Kittler et al., On Combining Classifiers, 1998). The product is taken in logarithms, so that it cannot underflow.
    Raises ValueError where there are no members.
    """
    if not members:
        raise ValueError("no members to combine")
    stack = np.stack([np.asarray(member, dtype=np.float64) for member in members])  # (M, N, K)
    if how == "mean":
        mixed = stack.mean(axis=0)
    elif how == "product":
        logs = np.log(stack.clip(1e-12)).sum(axis=0)
        mixed = np.exp(logs - logs.max(axis=1, keepdims=True))
    elif how == "maximum":
        mixed = stack.max(axis=0)
    else:
        mixed = stack.min(axis=0).clip(1e-12)
    normalised: NDArray[np.float32] = (mixed / mixed.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
