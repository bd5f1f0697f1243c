"""Fitting how members are combined on labelled rows, and predicting these rows by cross-fitting.

A combination with equal weights has nothing to fit. Weights, a greedy selection, stacking and temperatures look better
on the rows that they were fitted on than they are, so each fold is predicted by a fit on the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transfer.ensembling.combination import COMBINATIONS, Combination, Mixture, features, tempered
from transfer.metrics.probabilities import LEAST
from transfer.metrics.scores import Floats, Ints
from transfer.metrics.temperature_scaling import fit_calibration

Objective = Callable[[Floats, Ints], float]

FOLDS = 5
ROUNDS = 30  # of greedy selection: weights in steps of a thirtieth are fine enough
STEPS = 200  # of expectation maximisation; weights move by less than 1e-3 long before
PRIOR = 1.0  # rows' worth of belief that a member is as good as any other
STRENGTH = 0.05  # scikit-learn's C: small, for log-probabilities of trials of one search are nearly collinear
DIGITS = 6  # so that machines whose last bits differ come to the same


@dataclass(frozen=True)
class Rows:
    """Labelled rows that a mixture is fitted on. truth: (N,) in [0, K). mass: (N,), positive, their weights.

    objective: how good probabilities (n, K) of some rows, given by their numbers (n,), are; greedy maximises it.
    """

    truth: Ints
    mass: Floats
    objective: Objective


@dataclass(frozen=True)
class Fitted:
    """A mixture of some of the members offered. members: their numbers, (M,), ascending."""

    members: tuple[int, ...]
    mixture: Mixture

    def apply(self, offered: Sequence[Floats]) -> NDArray[np.float32]:
        """(N, K) of all members offered, its own mixed."""
        return self.mixture.apply([offered[m] for m in self.members])


def fit_mixture(
    how: Combination, offered: Sequence[Floats], rows: Rows, *, top: int, calibrated: bool, among: Ints | None = None
) -> Fitted:
    """The mixture of that kind, fitted on the rows.

    offered: each model's probabilities, (N, K), the best first. top: members at most. Greedy selection chooses them
    from all that are offered; every other kind takes the first. calibrated: each member's temperature is fitted first.
    among: numbers of the rows that are looked at; None for all.
    weighted: the weights of the largest likelihood, by expectation maximisation (Dempster, Laird and Rubin 1977), with
    a prior of PRIOR rows for equal weights. greedy: Caruana et al., Ensemble Selection from Libraries of Models
    (2004), with replacement, from the best model on. stacking: Wolpert 1992; ridge-penalised multinomial regression.
    """
    at = np.arange(len(rows.truth)) if among is None else among
    seen = [np.asarray(p, dtype=np.float64)[at] for p in offered]
    truth, mass = rows.truth[at], rows.mass[at]
    if how != "greedy":
        seen = seen[:top]
    temperatures: tuple[float, ...] = ()
    if calibrated:
        temperatures = tuple(fit_calibration("temperature", p, truth, mass).temperature for p in seen)
        seen = [tempered(p, t) for p, t in zip(seen, temperatures, strict=True)]
    if how == "greedy":
        return _only_used(how, _greedy(seen, at, rows.objective, top), temperatures)
    if how == "weighted":
        return _only_used(how, _likeliest_weights(seen, truth, mass), temperatures)
    stacked = _regression(seen, truth, mass) if how == "stacking" else ()
    return Fitted(tuple(range(len(seen))), Mixture(how, (), temperatures, *stacked))


def cross_fitted(
    how: Combination, offered: Sequence[Floats], rows: Rows, *, top: int, calibrated: bool, seed: int
) -> NDArray[np.float32]:
    """(N, K) float32: each row combined by a mixture that was fitted on the other folds; see fit_mixture.

    Where nothing is fitted the rule itself. Folds hold each label alike, as far as its rows allow.
    """
    if how in COMBINATIONS and not calibrated:
        return Mixture(how).apply(list(offered)[:top])
    fold = folds_of(rows.truth, seed)
    out = np.zeros(np.shape(offered[0]), dtype=np.float32)
    for number in range(int(fold.max()) + 1):
        held = fold == number
        found = fit_mixture(how, offered, rows, top=top, calibrated=calibrated, among=np.flatnonzero(~held))
        out[held] = found.apply([p[held] for p in offered])
    return out


def folds_of(truth: Ints, seed: int) -> Ints:
    """(N,) fold of each row, at most FOLDS of them: shuffled, then assigned label by label."""
    order = np.random.default_rng(seed).permutation(len(truth))
    order = order[np.argsort(truth[order], kind="stable")]
    fold = np.empty(len(truth), dtype=np.int64)
    fold[order] = np.arange(len(truth)) % min(FOLDS, len(truth))
    return fold


def _likeliest_weights(members: Sequence[Floats], truth: Ints, mass: Floats) -> NDArray[np.float64]:
    """(M,): the share of each member in what the true labels are owed to, again and again until it stands."""
    of_truth = np.stack([p[np.arange(len(truth)), truth] for p in members]).clip(LEAST)  # (M, N)
    scaled = mass / mass.mean()
    weights = np.full(len(members), 1 / len(members))
    for _ in range(STEPS):
        owed = weights[:, None] * of_truth
        weights = (owed / owed.sum(axis=0)) @ scaled + PRIOR
        weights /= weights.sum()
    return weights


def _greedy(members: Sequence[Floats], at: Ints, objective: Objective, top: int) -> NDArray[np.float64]:
    """(M,) weights: how often each was taken, at the round that was best; of equals the earliest, which is simplest."""
    total, counts = np.zeros_like(members[0]), np.zeros(len(members))
    best, kept = -np.inf, counts
    for taken in range(1, ROUNDS + 1):
        usable = [m for m in range(len(members)) if counts[m] or np.count_nonzero(counts) < top]
        values = [objective((total + members[m]) / taken, at) for m in usable]
        selected = usable[int(np.argmax(values))]
        total, counts = total + members[selected], counts + (np.arange(len(members)) == selected)
        if max(values) > best:
            best, kept = max(values), counts
    return np.asarray(kept / kept.sum())


def _only_used(how: Combination, weights: Floats, temperatures: tuple[float, ...]) -> Fitted:
    """The members whose weight is not nothing: the others need not be run."""
    shares = np.round(weights, DIGITS)
    used = tuple(int(m) for m in np.flatnonzero(shares > 0))
    kept = np.round(shares[list(used)] / shares[list(used)].sum(), 2 * DIGITS)
    mixture = Mixture(how, tuple(map(float, kept)), tuple(temperatures[m] for m in used) if temperatures else ())
    return Fitted(used, mixture)


def _regression(
    members: Sequence[Floats], truth: Ints, mass: Floats
) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """Coefficients (M·K, K) and intercepts (K,). A label without a row here is given nearly nothing."""
    k = members[0].shape[1]
    coefficients, intercepts = np.zeros((len(members) * k, k)), np.full(k, np.log(LEAST))
    there = np.unique(truth)
    intercepts[there] = 0.0
    if len(there) > 1:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(features(members), truth, sample_weight=mass)
        two = len(there) == 2  # then it holds the odds of the second label alone
        coefficients[:, there] = np.vstack([-model.coef_ / 2, model.coef_ / 2] if two else [model.coef_]).T
        intercepts[there] = [-model.intercept_[0] / 2, model.intercept_[0] / 2] if two else model.intercept_
    rounded = np.round(coefficients, DIGITS)
    return tuple(tuple(map(float, row)) for row in rounded), tuple(map(float, np.round(intercepts, DIGITS)))
