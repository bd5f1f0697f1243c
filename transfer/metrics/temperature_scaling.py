"""Probabilities calibrated by human labels: fitted on labelled rows, applied to all others of the same labeller.

p' ∝ exp(log p / temperature + bias). Stored answers stay raw; calibration is applied when they are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.probabilities import log_losses, logarithms, softmax
from transfer.metrics.scores import Floats, Ints

Kind = Literal["none", "temperature", "bias", "batch"]
Choice = Literal["auto", "none", "temperature", "bias", "batch"]
FEWEST = 50  # rows; of fewer, `auto` fits nothing, as chance would decide
FOLDS = 5
# Of 1 / temperature: below, every answer is nearly uniform; above, a few rows right by chance make it certain.
SLOPES = (0.02, 5.0)
# A parameter's distance from no change costs half its square, in nats of the whole sum: as much as some rows' loss.
SHRINKAGE = 1.0
DIGITS = 6  # so that machines whose last bits differ give the same


@dataclass(frozen=True)
class Calibration:
    """kind: how it was fitted. temperature: positive, 1 changes nothing. bias: one per label, 0 changes nothing."""

    kind: Kind
    temperature: float
    bias: tuple[float, ...]

    def apply(self, probabilities: Floats) -> NDArray[np.float64]:
        """(N, K) -> (N, K) float64, rows sum to 1. A row of NaN, confidence unknown, stays one."""
        return softmax(logarithms(probabilities) / self.temperature + np.asarray(self.bias))

    def applied(self, label: Ints, probabilities: Floats) -> tuple[Ints, NDArray[np.float64]]:
        """The likeliest labels after calibration, (N,), and `apply`. Where confidence is unknown, `label` stays."""
        found = self.apply(probabilities)
        known = ~np.isnan(found).any(axis=1)
        label = label.copy()
        label[known] = found[known].argmax(axis=1)
        return label, found

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it; calibration_from reads it."""
        return {"kind": self.kind, "temperature": self.temperature, "bias": list(self.bias)}


def calibration_from(stored: Mapping[str, Any]) -> Calibration:
    return Calibration(stored["kind"], float(stored["temperature"]), tuple(stored["bias"]))


def fit_calibration(
    how: Choice, probabilities: Floats, truth: Ints, weights: Floats | None = None, *, seed: int = 0
) -> Calibration:
    """The calibration of the least shrunk log-loss on labelled rows.

    how: temperature (Guo et al. 2017, arXiv 1706.04599, section 4.2); bias: a temperature and a bias per label
    (Alexandari et al. 2020, arXiv 1901.06852, bias-corrected temperature scaling); batch: the mean answer is divided
    out (Zhou et al. 2023, arXiv 2309.17249), each label's rows counting alike; auto: see _selected_kind.
    The first two minimise the mean log-loss, shrunk towards no change so that few rows change little.
    probabilities: (N, K), rows sum to 1, none NaN. truth: (N,) in [0, K). weights: (N,) or None for equal ones.
    """
    k = probabilities.shape[1]
    mass = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64) / np.mean(weights)
    kind = _selected_kind(probabilities, truth, mass, seed) if how == "auto" else how
    return _fit(kind, probabilities, truth, mass) if len(truth) else Calibration("none", 1.0, (0.0,) * k)


def _selected_kind(probabilities: Floats, truth: Ints, mass: Floats, seed: int) -> Kind:
    """The simplest of none, temperature and bias that no richer one beats by more than a standard error.

    Compared by the log-loss of cross-validation: Breiman et al., Classification and Regression Trees (1984),
    section 3.4.3. None where the rows are fewer than FEWEST.
    """
    if len(truth) < FEWEST:
        return "none"
    folds = np.random.default_rng(seed).permutation(len(truth)) % FOLDS
    best: Kind = "none"
    kept = log_losses(probabilities, truth)
    richer: tuple[Kind, ...] = ("temperature", "bias")
    for kind in richer:
        found = np.empty(len(truth))
        for fold in range(FOLDS):
            out, rest = folds == fold, folds != fold
            fitted = _fit(kind, probabilities[rest], truth[rest], mass[rest])
            found[out] = log_losses(fitted.apply(probabilities[out]), truth[out])
        gains = mass * (kept - found)
        if gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)):
            best, kept = kind, found
    return best


def _fit(kind: Kind, probabilities: Floats, truth: Ints, mass: Floats) -> Calibration:
    k = probabilities.shape[1]
    if kind == "none":
        return Calibration("none", 1.0, (0.0,) * k)
    if kind == "batch":
        means = np.array([probabilities[truth == label].mean(axis=0) for label in np.unique(truth)])
        return Calibration("batch", 1.0, _rounded(-logarithms(means.mean(axis=0, keepdims=True))[0]))
    slope, bias = _minimised(logarithms(probabilities), truth, mass, with_bias=kind == "bias")
    return Calibration(kind, round(1 / slope, DIGITS), _rounded(bias))


def _minimised(logs: Floats, truth: Ints, mass: Floats, *, with_bias: bool) -> tuple[float, Floats]:
    """Slope (1 / temperature) and bias of the least loss; a convex problem, so there is one such point."""
    from scipy.optimize import minimize

    k = logs.shape[1]
    wanted = np.eye(k)[truth]

    def loss(x: Floats) -> tuple[float, Floats]:
        raised = x[0] * logs + x[1:]
        raised = raised - raised.max(axis=1, keepdims=True)
        log_p = raised - np.log(np.exp(raised).sum(axis=1, keepdims=True))
        off = mass[:, None] * (np.exp(log_p) - wanted)  # (N, K)
        moved = np.concatenate([[x[0] - 1], x[1:]])
        value = -(mass[:, None] * wanted * log_p).sum() + SHRINKAGE / 2 * (moved @ moved)
        slopes = np.concatenate([[(off * logs).sum()], off.sum(axis=0)]) + SHRINKAGE * moved
        return float(value), slopes

    still = (0.0, 0.0)
    bounds = [SLOPES, *[(None, None) if with_bias else still] * k]
    found = minimize(loss, np.concatenate([[1.0], np.zeros(k)]), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), np.asarray(found.x[1:])


def _rounded(bias: Floats) -> tuple[float, ...]:
    return tuple(round(float(b - bias.mean()), DIGITS) for b in bias)  # a constant changes nothing
