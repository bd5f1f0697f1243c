"""Every figure of a classifier with its bootstrap interval, and the difference of two on the same rows.

All figures follow from sums over rows: of the confusion matrix's cells, of losses, of the bins of confidence. So no
resample needs more than how often it has each row, and memory holds a few numbers a row. Those of the matrix alone do
not even need the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.calibration_error import BINS, bin_of, losses
from transfer.metrics.scores import Floats, Ints, squared_errors

RESAMPLES = 1000
DRAWS = 0  # seed of matrices drawn again: a model has the same interval in every table that shows it
Figures = dict[str, NDArray[np.float64]]
AVERAGES = ("macro", "weighted")
OF_LABEL = ("precision", "recall", "f1", "accuracy")
COMPARED = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier")


def intervals(
    probabilities: Floats, truth: Ints, labels: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """95 % percentile bootstrap intervals over rows, {"value", "low", "high"} each.

    probabilities: (N, K), rows sum to 1. truth: (N,) in [0, K). By name log_loss, brier and ece, drawn by `seed`, and
    all that confusion_intervals gives.
    """
    rows = _rows(probabilities, truth)
    value, spread = _row_figures(_whole(rows), rows.k), _row_figures(_resampled(rows, seed, resamples), rows.k)
    found = {name: interval(value[name][0], spread[name]) for name in value}
    confusion = np.bincount(rows.cells, minlength=rows.k**2).reshape(rows.k, rows.k)
    return found | confusion_intervals(confusion, labels, resamples=resamples)


def confusion_intervals(confusion: Any, labels: Sequence[str] = (), *, resamples: int = RESAMPLES) -> dict[str, Any]:
    """95 % percentile bootstrap intervals of what a confusion matrix tells, {"value", "low", "high"} each.

    confusion: (K, K) counts, rows true, columns predicted. By name accuracy, macro and weighted f1, precision and
    recall; with labels also, under `per_class`, by label, precision, recall, f1 and accuracy. A resample in which a
    label has no row counts 0 for it, as the figure itself does.
    """
    value, spread = of_confusions(np.asarray(confusion)[None]), of_confusions(drawn_again(confusion, DRAWS, resamples))
    found: dict[str, Any] = {name: interval(value[name][0], spread[name]) for name in value if value[name].ndim == 1}
    per_class = {
        label: {name: interval(value[f"class_{name}"][0, k], spread[f"class_{name}"][:, k]) for name in OF_LABEL}
        for k, label in enumerate(labels)
    }
    return found | ({"per_class": per_class} if labels else {})


def drawn_again(confusion: Any, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """(resamples, K, K) confusion matrices of as many rows drawn with replacement.

    Such a matrix is multinomial with the shares of the one given: the rows themselves add nothing.
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 5 and 13.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    shares = counts.ravel() / counts.sum()
    drawn = np.random.default_rng(seed).multinomial(int(counts.sum()), shares, size=resamples)
    return np.asarray(drawn.reshape(-1, *counts.shape), dtype=np.float64)


def interval(value: Any, drawn: NDArray[np.float64]) -> dict[str, float]:
    """`value` with the `low` and `high` end of its 95 % percentile interval. drawn: (R,) what resamples give."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}


def paired_difference(
    one: Floats, other: Floats, truth: Ints, *, seed: int, resamples: int = RESAMPLES
) -> dict[str, dict[str, float]]:
    """What `one` has more than `other` on the same rows, with 95 % intervals of the paired bootstrap.

    one, other: (N, K) probabilities of the same texts. Both are resampled by the same rows, so that what is hard for
    both does not blur the difference. By name: accuracy, macro_f1, weighted_f1, log_loss, brier; each
    {"value", "low", "high"}. One is better than the other, with confidence, where the interval leaves 0 out.
    Koehn, Statistical Significance Tests for Machine Translation Evaluation (2004), section 5.
    """
    k = one.shape[1]
    both = [_rows(probabilities, truth) for probabilities in (one, other)]
    totals = [_figures(_whole(rows), k) for rows in both]
    drawn = [_figures(_resampled(rows, seed, resamples), k) for rows in both]  # the same seed, so the same rows
    return {
        name: interval(totals[0][name][0] - totals[1][name][0], drawn[0][name] - drawn[1][name]) for name in COMPARED
    }


def is_better(difference: Mapping[str, float]) -> bool:
    """Whether an interval of a difference supports that there is a gain."""
    return difference["low"] > 0


@dataclass(frozen=True)
class _Rows:
    """What each row adds to the sums. cells: of the confusion matrix. bins: of confidence. All others (N,) float64."""

    k: int
    cells: Ints
    bins: Ints
    is_right: NDArray[np.float64]
    confidence: NDArray[np.float64]
    log_loss: NDArray[np.float64]
    brier: NDArray[np.float64]

    def sums(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K² + 2 + 2·BINS,) with each row as often as `counts`, (N,), says."""
        own = np.array([counts @ self.log_loss, counts @ self.brier])
        cells = np.bincount(self.cells, counts, self.k * self.k)
        binned = [np.bincount(self.bins, counts * x, BINS) for x in (self.is_right, self.confidence)]
        return np.concatenate([cells, own, *binned])


def _rows(probabilities: Floats, truth: Ints) -> _Rows:
    if len(truth) == 0 or len(probabilities) != len(truth):
        raise ValueError(f"{len(probabilities)} rows of probabilities for {len(truth)} labels")
    k, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    return _Rows(
        k=k,
        cells=truth * k + predicted,
        bins=bin_of(probabilities),
        is_right=(predicted == truth).astype(np.float64),
        confidence=probabilities.max(axis=1).astype(np.float64),
        log_loss=np.asarray(losses(probabilities, truth), dtype=np.float64),
        brier=squared_errors(probabilities, truth),
    )


def _resampled(rows: _Rows, seed: int, resamples: int) -> NDArray[np.float64]:
    """(resamples, D): the sums over rows drawn with replacement."""
    rng, n = np.random.default_rng(seed), len(rows.cells)
    draws = (np.bincount(rng.integers(0, n, size=n), minlength=n).astype(np.float64) for _ in range(resamples))
    return np.stack([rows.sums(counts) for counts in draws])


def _whole(rows: _Rows) -> NDArray[np.float64]:
    return rows.sums(np.ones(len(rows.cells)))[None]


def of_confusions(confusion: NDArray[Any]) -> Figures:
    """Figures of R confusion matrices (R, K, K): (R,) each; those of labels, named class_*, are (R, K)."""
    n, right = confusion.sum(axis=(1, 2)), np.diagonal(confusion, axis1=1, axis2=2)
    true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    own = {
        "precision": _share(right, predicted),
        "recall": _share(right, true),
        "f1": _share(2 * right, true + predicted),
        "accuracy": (n[:, None] - true - predicted + 2 * right) / n[:, None],
    }
    weights = true / n[:, None]
    averaged = {f"macro_{name}": own[name].mean(axis=1) for name in ("f1", "precision", "recall")}
    averaged |= {f"weighted_{name}": (own[name] * weights).sum(axis=1) for name in ("f1", "precision", "recall")}
    return {"accuracy": right.sum(axis=1) / n, **averaged, **{f"class_{name}": values for name, values in own.items()}}


def _row_figures(sums: NDArray[np.float64], k: int) -> Figures:
    """(R, D) sums over rows to the figures that no confusion matrix tells, (R,) each."""
    n, (log_loss, brier), rest = sums[:, : k * k].sum(axis=1), sums[:, k * k : k * k + 2].T, sums[:, k * k + 2 :]
    gaps = np.abs(rest[:, :BINS] - rest[:, BINS:]).sum(axis=1)
    return {"log_loss": log_loss / n, "brier": brier / n, "ece": gaps / n}


def _figures(sums: NDArray[np.float64], k: int) -> Figures:
    return of_confusions(sums[:, : k * k].reshape(-1, k, k)) | _row_figures(sums, k)


def _share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0))
