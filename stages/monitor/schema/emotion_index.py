"""The index: one number from the shares, its formula, and how both are written where the index is shown."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def index_of(shares: NDArray[np.float64], weights: Mapping[str, float], labels: tuple[str, ...]) -> NDArray[np.float64]:
    """The index, 0 to 100 with 50 neutral.

    shares: (K, ...) float64 in the order of labels, sums of 1 along K. weights: one for each label, not all 0.
    Returns (...) float64. A share-weighted mean as in the Hedonometer (Dodds et al., PLoS ONE 2011), rescaled so
    that the label with the largest |weight| alone gives 0 or 100.
    """
    weight = np.array([weights[label] for label in labels])
    scaled: NDArray[np.float64] = weight / np.abs(weight).max()  # (K,)
    return np.asarray(50 + 50 * (np.tensordot(scaled, shares, 1)))


def weights_text(weights: Mapping[str, float]) -> str:
    """The weights on one line with their signs, "happiness +1, neutral 0, anger -1"."""
    return ", ".join(f"{label} {weight:+g}" if weight else f"{label} 0" for label, weight in weights.items())
