"""Combining several models' probabilities: by a fixed rule, by weights, or by stacking.

fit_weights.py fits what is fitted; here is what is applied and stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.probabilities import LEAST, logarithms, softmax

Combination = Literal["mean", "product", "maximum", "minimum", "weighted", "greedy", "stacking"]
COMBINATIONS: tuple[Combination, ...] = ("mean", "product", "maximum", "minimum")  # with equal weights
FITTED: tuple[Combination, ...] = ("weighted", "greedy", "stacking")  # on labelled rows


@dataclass(frozen=True)
class Mixture:
    """How M members' distributions over K labels become one.

    how: mean, product, maximum, minimum; weighted or greedy, the mean by `weights` (M,), non-negative, summing to 1;
    stacking, a multinomial logistic regression on the members' log-probabilities, `coefficients` (M·K, K) and
    `intercepts` (K,). temperatures: (M,), positive, that calibrate each member first; empty for none.
    """

    how: Combination
    weights: tuple[float, ...] = ()
    temperatures: tuple[float, ...] = ()
    coefficients: tuple[tuple[float, ...], ...] = ()
    intercepts: tuple[float, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing in it was fitted: it is its rule's name."""
        return self == Mixture(self.how)

    def apply(self, members: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
        """(N, K) float32, rows sum to 1, of M arrays (N, K) whose rows sum to 1.

        Raises ValueError where there are no members, or not as many as were fitted.
        """
        own = len(self.weights) or len(self.temperatures)
        if self.how == "stacking" and len(members):
            own = len(self.coefficients) // np.shape(members[0])[1]
        if own and own != len(members):
            raise ValueError(f"{len(members)} members for a mixture of {own}")
        if self.temperatures:
            members = [tempered(p, t) for p, t in zip(members, self.temperatures, strict=True)]
        if self.how == "stacking":
            logits = features(members) @ np.asarray(self.coefficients) + np.asarray(self.intercepts)  # (N, K)
            return softmax(logits).astype(np.float32)
        if self.how in FITTED:
            stack = np.stack([np.asarray(member, dtype=np.float64) for member in members])  # (M, N, K)
            return _normalised(np.tensordot(np.asarray(self.weights), stack, axes=1))
        return combine(members, self.how)

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it, without what it does not use; mixture_from reads it."""
        return {name: value for name, value in asdict(self).items() if value != ()}


MEAN = Mixture("mean")


def mixture_from(stored: str | Mapping[str, Any]) -> Mixture:
    """The mixture that as_dict gave, or that of a rule's name."""
    if isinstance(stored, str):
        stored = {"how": stored}
    vectors = {name: tuple(map(float, stored.get(name, ()))) for name in ("weights", "temperatures", "intercepts")}
    rows = tuple(tuple(map(float, row)) for row in stored.get("coefficients", ()))
    return Mixture(stored["how"], coefficients=rows, **vectors)


def combine(members: Sequence[NDArray[np.floating]], how: Combination) -> NDArray[np.float32]:
    """One distribution for each text out of the members' distributions, by a rule with equal weights.

    members: at least one array (N, K), rows sum to 1, all of one shape. how: one of COMBINATIONS. Returns (N, K)
    float32, rows sum to 1.
    Product, maximum and minimum are normalised again: what comes out of the rule alone is no distribution
    (Kittler et al., On Combining Classifiers, 1998). The product is taken in logarithms, so that it cannot underflow;
    normalised, it is the geometric mean raised to the number of members.
    Raises ValueError where there are no members, or `how` needs fitting.
    """
    if not members:
        raise ValueError("no members to combine")
    if how not in COMBINATIONS:
        raise ValueError(f"{how} is fitted first: see fit_mixture")
    stack = np.stack([np.asarray(member, dtype=np.float64) for member in members])  # (M, N, K)
    if how == "mean":
        return _normalised(stack.mean(axis=0))
    if how == "product":
        return softmax(logarithms(stack).sum(axis=0)).astype(np.float32)
    return _normalised(stack.max(axis=0) if how == "maximum" else stack.min(axis=0).clip(LEAST))


def tempered(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """p^(1/temperature), normalised: (N, K) float64. Above 1 it doubts more, below 1 less; the likeliest label stays.

    Guo et al., On Calibration of Modern Neural Networks (2017, arXiv 1706.04599), section 4.2.
    """
    return softmax(logarithms(probabilities) / temperature)


def features(members: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """(N, M·K) of M arrays (N, K): the log-probabilities that stacking learns from, member by member."""
    # clipped far above zero: one member's certainty must not become a feature that outweighs all others
    return np.concatenate([np.log(np.asarray(p, dtype=np.float64).clip(1e-4)) for p in members], axis=1)


def _normalised(mixed: NDArray[np.float64]) -> NDArray[np.float32]:
    normalised: NDArray[np.float32] = (mixed / mixed.sum(axis=1, keepdims=True)).astype(np.float32)
    return normalised
