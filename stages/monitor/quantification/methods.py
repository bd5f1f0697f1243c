"""Prevalence from a classifier that errs: adjusted counts, expectation maximisation, prediction-powered means.

Pure formulas on arrays, many periods at once; K labels, P periods. Which data they are fitted on is decided elsewhere.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST = 1e-12  # no probability is taken for less: keeps quotients finite
SOLVER_STEPS, SOLVED = 400, 1e-7  # of projected gradient
EM_STEPS, CONVERGED = 300, 1e-5  # largest change of a share at which the iteration ends


def rates(outputs: Floats, truth: Integers, weights: Floats) -> Floats:
    """The mean output for each true label: R[i, j] = E[output i | true label j], columns sum to 1.

    outputs: (N, K), rows sum to 1: one-hot predictions give ACC's confusion matrix, probabilities PACC's. truth: (N,)
    in [0, K), each label at least once. weights: (N,), positive. Returns (K, K).
    """
    mass = np.zeros((len(truth), outputs.shape[1]))
    mass[np.arange(len(truth)), truth] = weights
    return np.asarray(outputs.T @ (mass / mass.sum(axis=0)))


def adjusted(rate: Floats, observed: Floats) -> Floats:
    """Shares p ≥ 0 with sum 1 that explain the observed mean outputs best: min ‖R p − observed‖².

    rate: (K, K) of `rates`. observed: (P, K), rows sum to 1. Returns (P, K).
    Adjusted counts: Forman, Quantifying counts and costs via classification (2008); with probabilities: Bella et al.
    (ICDM 2010). For several labels as least squares on the simplex: Hopkins and King (AJPS 2010), Bunse (LQ 2022).
    Where the inverse lies on the simplex it is the answer; else projected gradient, accelerated (Beck, Teboulle 2009).
    """
    found = observed @ np.linalg.pinv(rate).T
    outside = np.flatnonzero((found < 0).any(axis=1) | (np.abs(found.sum(axis=1) - 1) > 1e-9))
    if len(outside):
        found[outside] = _least_squares(rate, observed[outside], onto_simplex(found[outside]))
    return found


def _least_squares(rate: Floats, observed: Floats, start: Floats) -> Floats:
    """Projected gradient from start, all rows at once."""
    gram, target = rate.T @ rate, observed @ rate
    step = 1 / np.linalg.eigvalsh(gram)[-1]
    current, ahead, momentum = start, start, 1.0
    for _ in range(SOLVER_STEPS):
        following = onto_simplex(ahead - step * (ahead @ gram - target))
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / faster * (following - current)
        moved = float(np.abs(following - current).max())
        current, momentum = following, faster
        if moved < SOLVED:
            break
    return current


def onto_simplex(points: Floats) -> Floats:
    """The nearest shares: points (P, K) of any sign projected on p ≥ 0, Σ p = 1 (Duchi et al., ICML 2008)."""
    descending = -np.sort(-points, axis=1)
    excess = (np.cumsum(descending, axis=1) - 1) / np.arange(1, points.shape[1] + 1)
    last = (descending > excess).sum(axis=1) - 1
    threshold = np.take_along_axis(excess, last[:, None], axis=1)
    return np.asarray(np.maximum(points - threshold, 0))


def expectation_maximisation(ratios: Floats, shares: Floats, start: Floats) -> Floats:
    """The shares under which the observed posteriors are likeliest, if only the labels' shares have changed.

    ratios: (M, K), posterior over prior of each of M kinds of comment, prior: the shares that the posteriors are
    calibrated for. shares: (P, M), what part of a period's comments is of each kind, rows sum to 1. start: (K,) or
    (P, K), all positive. Returns (P, K), rows sum to 1.
    Saerens, Latinne and Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities (Neural
    Computation 2002), known as SLD or EMQ; calibration matters: Alexandari, Kundaje and Shrikumar (ICML 2020).
    """
    found = np.broadcast_to(start, (len(shares), ratios.shape[1])).astype(np.float64)
    for _ in range(EM_STEPS):
        mixture = np.maximum(found @ ratios.T, LEAST)
        following = found * ((shares / mixture) @ ratios)
        following /= following.sum(axis=1, keepdims=True)
        moved = float(np.abs(following - found).max(initial=0))
        found = following
        if moved < CONVERGED:
            break
    return found


def prediction_powered(means: Floats, outputs: Floats, truth: Integers, weights: Floats) -> Floats:
    """Means of probabilities, moved by the mean error that gold shows: p = mean f(all) + mean (y − f)(gold).

    means: (P, K). outputs: (N, K) of the gold rows. truth: (N,). weights: (N,), 1 / inclusion probability. Returns
    (P, K) on the simplex. Angelopoulos et al., Prediction-powered inference (Science 2023, arXiv 2301.09633); weighted
    as in design-based supervised learning, Egami et al. (NeurIPS 2023, arXiv 2306.04746). Right for all comments
    together; for one period as far as the mean error is the same in all.
    """
    truly = np.eye(means.shape[1])[truth]
    error = weights @ (truly - outputs) / weights.sum()
    return onto_simplex(means + error)
