"""Diversity of models: an ensemble gains only where its members are wrong about different texts."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from transfer.metrics.scores import Floats, Ints

MEASURES = ("disagreement", "q", "kappa", "double_fault")


def diversity(members: Sequence[Floats], truth: Ints) -> dict[str, Any]:
    """`pairs`, for each two members by number, and `mean` over them; None where there is one member only.

    members: M arrays (N, K) of probabilities. truth: (N,). disagreement: share of texts that get different labels.
    q: Yule's Q of being right, from -1, wrong about different texts, over 0, independent, to 1; None where it is
    undefined. kappa: Cohen's, of the labels given. double_fault: share of texts both are wrong about.
    Kuncheva and Whitaker, Measures of Diversity in Classifier Ensembles (2003), section 2.
    """
    given = [p.argmax(axis=1) for p in members]
    twos = combinations(range(len(given)), 2)
    pairs = [{"first": i, "second": j, **_pair(given[i], given[j], truth)} for i, j in twos]
    known = {name: [pair[name] for pair in pairs if pair[name] is not None] for name in MEASURES}
    return {"pairs": pairs, "mean": {name: float(np.mean(v)) if v else None for name, v in known.items()}}


def _pair(one: Ints, other: Ints, truth: Ints) -> dict[str, Any]:
    first, second = one == truth, other == truth
    both, none = int(np.sum(first & second)), int(np.sum(~first & ~second))
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    odds = both * none + only_first * only_second
    return {
        "disagreement": float(np.mean(one != other)),
        "q": (both * none - only_first * only_second) / odds if odds else None,
        "kappa": _kappa(one, other),
        "double_fault": none / len(truth),
    }


def _kappa(one: Ints, other: Ints) -> float | None:
    """None where both give one and the same label to every text."""
    labels = np.union1d(one, other)
    chance = sum(float(np.mean(one == label)) * float(np.mean(other == label)) for label in labels)
    return None if chance >= 1 else (float(np.mean(one == other)) - chance) / (1 - chance)
