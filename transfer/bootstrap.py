"""Every figure of a classifier with its bootstrap interval, and the difference of two on the same rows.

All figures follow from sums over rows: of the confusion matrix's cells, of losses, of the bins of confidence. So a
resample is a row of counts, and a thousand of them are one matrix product.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.evaluate import Floats, Ints, squared_errors
from transfer.reliability import BINS, bin_of, losses

RESAMPLES = 1000
CHUNK = 4_000_000  # counts at a time: resamples by rows, 32 MB
AVERAGES = ("macro", "weighted")
OF_LABEL = ("precision", "recall", "f1", "accuracy")
COMPARED = ("accuracy", "macro_f1", "weighted_f1", "log_loss", "brier")


def intervals(
    probabilities: Floats, truth: Ints, labels: Sequence[str], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """95 % percentile bootstrap intervals over rows, {"value", "low", "high"} each.

    probabilities: (N, K), rows sum to 1. truth: (N,) in [0, K). By name: accuracy, macro and weighted f1, precision
    and recall, log_loss, brier, ece; under `per_class`, by label, precision, recall, f1 and accuracy. A resample in
    which a label has no row counts 0 for it, as the figure itself does.
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    sums = _sums(probabilities, truth)
    drawn = _resampled(sums, seed, resamples)
    value, spread = _figures(sums.sum(axis=0, keepdims=True), len(labels)), _figures(drawn, len(labels))
    found = {name: _interval(value[name][0], spread[name]) for name in value if value[name].ndim == 1}
    per_class = {
        label: {name: _interval(value[f"class_{name}"][0, k], spread[f"class_{name}"][:, k]) for name in OF_LABEL}
        for k, label in enumerate(labels)
    }
    return {**found, "per_class": per_class}


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
    sums = [_sums(probabilities, truth) for probabilities in (one, other)]
    totals = [_figures(rows.sum(axis=0, keepdims=True), k) for rows in sums]
    drawn = [_figures(_resampled(rows, seed, resamples), k) for rows in sums]  # the same seed, so the same rows
    return {
        name: _interval(totals[0][name][0] - totals[1][name][0], drawn[0][name] - drawn[1][name]) for name in COMPARED
    }


def is_better(difference: Mapping[str, float]) -> bool:
    """Whether an interval of a difference supports that there is a gain."""
    return difference["low"] > 0


def _sums(probabilities: Floats, truth: Ints) -> NDArray[np.float64]:
    """(N, K² + 2 + 2·BINS): of each row its cell, its two losses, and in its bin of confidence whether it is right and
    how sure it was."""
    if len(truth) == 0 or len(probabilities) != len(truth):
        raise ValueError(f"{len(probabilities)} rows of probabilities for {len(truth)} labels")
    k, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    cells = _one_hot(truth * k + predicted, k * k)
    bins = _one_hot(bin_of(probabilities), BINS)
    is_right, confidence = (predicted == truth).astype(np.float64), probabilities.max(axis=1).astype(np.float64)
    both = [losses(probabilities, truth), squared_errors(probabilities, truth)]
    return np.column_stack([cells, *both, bins * is_right[:, None], bins * confidence[:, None]])


def _one_hot(numbers: Ints, size: int) -> NDArray[np.float64]:
    out = np.zeros((len(numbers), size))
    out[np.arange(len(numbers)), numbers] = 1
    return out


def _resampled(sums: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """(resamples, D): the sums over rows drawn with replacement."""
    return np.concatenate([counts @ sums for counts in _counts(len(sums), seed, resamples)])


def _counts(n: int, seed: int, resamples: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    size = max(CHUNK // n, 1)
    for begin in range(0, resamples, size):
        rows = min(size, resamples - begin)
        drawn = rng.integers(0, n, size=(rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _figures(sums: NDArray[np.float64], k: int) -> dict[str, NDArray[np.float64]]:
    """(R, D) sums to figures, (R,) each; those of labels, named class_*, are (R, K)."""
    confusion = sums[:, : k * k].reshape(-1, k, k)
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
    log_loss, brier, rest = sums[:, k * k], sums[:, k * k + 1], sums[:, k * k + 2 :]
    gaps = np.abs(rest[:, :BINS] - rest[:, BINS:]).sum(axis=1)
    found = {"accuracy": right.sum(axis=1) / n, **averaged}
    found |= {"log_loss": log_loss / n, "brier": brier / n, "ece": gaps / n}
    return found | {f"class_{name}": values for name, values in own.items()}


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _interval(value: Any, drawn: NDArray[np.float64]) -> dict[str, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": float(value), "low": float(low), "high": float(high)}
