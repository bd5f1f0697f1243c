"""Figures of a classifier with their 95 % percentile bootstrap intervals over rows.

All figures follow from sums over rows: of the confusion matrix's cells, of losses, of the bins of confidence. So a
resample needs no more than how often it has each row, and memory holds a few numbers a row. Figures of the matrix
alone do not even need the rows. Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 5 and 13.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.calibration_error import BINS, bin_of
from transfer.metrics.probabilities import log_losses
from transfer.metrics.scores import STATISTICS, Floats, Ints, Statistic, confusion_matrix, squared_errors

RESAMPLES = 1000
RESAMPLING_SEED = 0  # of confusion matrices: a model has the same interval in every table that shows it
Figures = dict[str, NDArray[np.float64]]
OF_LABEL = ("precision", "recall", "f1", "accuracy")


def intervals(probabilities: Floats, truth: Ints, labels: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Intervals {"value", "low", "high"} by name: log_loss, brier and ece, and all that confusion_intervals gives.

    probabilities: (N, K), rows sum to 1. truth: (N,) in [0, K). seed: of the resamples for the first three.
    """
    rows = RowSums.of(probabilities, truth)
    value, spread = rows.row_figures(rows.total()), rows.row_figures(rows.resampled(seed, RESAMPLES))
    found = {name: interval(value[name][0], spread[name]) for name in value}
    confusion = np.bincount(rows.cells, minlength=rows.k**2).reshape(rows.k, rows.k)
    return found | confusion_intervals(confusion, labels)


def confusion_intervals(confusion: Any, labels: Sequence[str] = ()) -> dict[str, Any]:
    """Intervals {"value", "low", "high"} of the figures of a confusion matrix, by name.

    confusion: (K, K) counts, rows true, columns predicted. Names: accuracy, macro and weighted f1, precision and
    recall; with labels also `per_class`, by label, precision, recall, f1 and accuracy. A resample in which a label has
    no row counts 0 for it, as the figure itself does.
    """
    value = confusion_figures(np.asarray(confusion)[None])
    spread = resampled_figures(confusion)
    found: dict[str, Any] = {name: interval(value[name][0], spread[name]) for name in value if value[name].ndim == 1}
    per_class = {
        label: {name: interval(value[f"class_{name}"][0, k], spread[f"class_{name}"][:, k]) for name in OF_LABEL}
        for k, label in enumerate(labels)
    }
    return found | ({"per_class": per_class} if labels else {})


def bootstrap_interval(
    statistic: Statistic,
    predicted: Ints,
    truth: Ints,
    n_labels: int,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    weights: Floats | None = None,
) -> tuple[float, float, float]:
    """A statistic of hard labels with its interval: (value, low, high).

    predicted, truth: (N,) in [0, n_labels). weights: (N,) inverse inclusion probabilities, or None for equal ones.
    All three are NaN where the statistic is: kappa where everything is of one label.
    """
    mass = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)

    def value(rows: Ints) -> float:
        return STATISTICS[statistic](confusion_matrix(predicted[rows], truth[rows], n_labels, mass[rows]))

    return resampled_interval(value, len(truth), seed=seed, resamples=resamples)


def interval(value: Any, resampled: NDArray[np.float64]) -> dict[str, float]:
    """`value` with the `low` and `high` end of its interval. resampled: (R,) the value on each resample."""
    low, high = np.percentile(resampled, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}


def resampled_interval(
    value: Callable[[Ints], float], n: int, *, seed: int, resamples: int
) -> tuple[float, float, float]:
    """`value` of all n rows, with its interval over resampled rows: (value, low, high). NaNs are left out."""
    rng = np.random.default_rng(seed)
    samples = (rng.integers(0, n, size=n) for _ in range(resamples))
    values = [x for rows in samples if not math.isnan(x := value(rows))]
    low, high = np.percentile(values, [2.5, 97.5]) if values else (math.nan, math.nan)
    return value(np.arange(n)), float(low), float(high)


def resampled_confusions(confusion: Any, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """(resamples, K, K) confusion matrices of as many rows drawn with replacement.

    Such a matrix is multinomial with the shares of the one given: the rows themselves add nothing.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    shares = counts.ravel() / counts.sum()
    found = np.random.default_rng(seed).multinomial(int(counts.sum()), shares, size=resamples)
    return np.asarray(found.reshape(-1, *counts.shape), dtype=np.float64)


def resampled_figures(confusion: Any, seed: int = RESAMPLING_SEED, resamples: int = RESAMPLES) -> Figures:
    """confusion_figures of resampled_confusions: (resamples,) or (resamples, K) each."""
    return confusion_figures(resampled_confusions(confusion, seed, resamples))


def confusion_figures(confusion: NDArray[Any]) -> Figures:
    """Figures of R confusion matrices (R, K, K): (R,) each; those of labels, named class_*, are (R, K)."""
    n, right = confusion.sum(axis=(1, 2)), np.diagonal(confusion, axis1=1, axis2=2)
    true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    own = {
        "precision": _ratio(right, predicted),
        "recall": _ratio(right, true),
        "f1": _ratio(2 * right, true + predicted),
        "accuracy": (n[:, None] - true - predicted + 2 * right) / n[:, None],
    }
    weights = true / n[:, None]
    averaged = {f"macro_{name}": own[name].mean(axis=1) for name in ("f1", "precision", "recall")}
    averaged |= {f"weighted_{name}": (own[name] * weights).sum(axis=1) for name in ("f1", "precision", "recall")}
    return {"accuracy": right.sum(axis=1) / n, **averaged, **{f"class_{name}": values for name, values in own.items()}}


@dataclass(frozen=True)
class RowSums:
    """What each of N rows adds to the D = K² + 2 + 2·BINS sums that all figures follow from.

    cells: (N,) of the confusion matrix. bins: (N,) of confidence. The others: (N,) float64.
    """

    k: int
    cells: Ints
    bins: Ints
    is_right: NDArray[np.float64]
    confidence: NDArray[np.float64]
    log_loss: NDArray[np.float64]
    brier: NDArray[np.float64]

    @classmethod
    def of(cls, probabilities: Floats, truth: Ints) -> Self:
        """probabilities: (N, K), rows sum to 1. truth: (N,) in [0, K). Raises ValueError where N is 0 or differs."""
        if len(truth) == 0 or len(probabilities) != len(truth):
            raise ValueError(f"{len(probabilities)} rows of probabilities for {len(truth)} labels")
        k, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
        return cls(
            k=k,
            cells=truth * k + predicted,
            bins=bin_of(probabilities),
            is_right=(predicted == truth).astype(np.float64),
            confidence=probabilities.max(axis=1).astype(np.float64),
            log_loss=log_losses(probabilities, truth),
            brier=squared_errors(probabilities, truth),
        )

    def total(self) -> NDArray[np.float64]:
        return self._sums(np.ones(len(self.cells)))[None]

    def resampled(self, seed: int, resamples: int) -> NDArray[np.float64]:
        """(resamples, D): the sums over rows drawn with replacement; the same rows for the same seed and N."""
        rng, n = np.random.default_rng(seed), len(self.cells)
        counts = (np.bincount(rng.integers(0, n, size=n), minlength=n).astype(np.float64) for _ in range(resamples))
        return np.stack([self._sums(often) for often in counts])

    def figures(self, sums: NDArray[np.float64]) -> Figures:
        """All figures, (R,) or (R, K) each, of sums (R, D)."""
        return confusion_figures(sums[:, : self.k**2].reshape(-1, self.k, self.k)) | self.row_figures(sums)

    def row_figures(self, sums: NDArray[np.float64]) -> Figures:
        """log_loss, brier and ece, (R,) each, which no confusion matrix gives, of sums (R, D)."""
        cells = self.k**2
        n, (log_loss, brier), rest = sums[:, :cells].sum(axis=1), sums[:, cells : cells + 2].T, sums[:, cells + 2 :]
        gaps = np.abs(rest[:, :BINS] - rest[:, BINS:]).sum(axis=1)
        return {"log_loss": log_loss / n, "brier": brier / n, "ece": gaps / n}

    def _sums(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(D,) with each row as often as `counts`, (N,), says."""
        cells = np.bincount(self.cells, counts, self.k * self.k)
        own = np.array([counts @ self.log_loss, counts @ self.brier])
        binned = [np.bincount(self.bins, counts * x, BINS) for x in (self.is_right, self.confidence)]
        return np.concatenate([cells, own, *binned])


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0))
