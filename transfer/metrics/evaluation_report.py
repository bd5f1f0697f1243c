"""The evaluation of a classifier on labelled rows: metrics, intervals, confusions, calibration, slices."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.bootstrap import confusion_figures, interval, intervals, resampled_figures
from transfer.metrics.calibration_error import reliability
from transfer.metrics.scores import Floats, Ints, confusion_matrix, score, squared_errors

# Of characters: a quarter of the rows in each, as far as lengths differ.
QUARTERS = (25, 50, 75)
FEWEST = 10  # rows of a slice: of fewer a figure means nothing
MOST_SLICES = 50  # of one kind, the largest; the others are counted together


def evaluation_report(probabilities: Floats, truth: Ints, labels: Sequence[str], *, seed: int) -> dict[str, Any]:
    """All of scores.Scores, and `brier`, `ece`, `reliability`, `confusion_shares` and `intervals`.

    probabilities: (N, K), rows sum to 1. truth: (N,) in [0, K). confusion_shares: (K, K), rows true, each summing to 1,
    or to 0 where the label has no row. intervals: see bootstrap.intervals. Raises ValueError as `score` does.
    """
    scores = score(probabilities, truth, labels)
    found = reliability(probabilities, truth)
    confusion = np.asarray(scores.confusion, dtype=np.float64)
    return {
        **scores.as_dict(),
        "brier": float(squared_errors(probabilities, truth).mean()),
        "ece": found.ece,
        "reliability": [asdict(held) for held in found.bins],
        "confusion_shares": (confusion / confusion.sum(axis=1, keepdims=True).clip(1)).tolist(),
        "intervals": intervals(probabilities, truth, labels, seed=seed),
    }


def slices(probabilities: Floats, truth: Ints, ways: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """By way and slice `n`, `accuracy`, `macro_f1` with its `low` and `high`, 95 %, and `intervals` of both; of the
    largest slices, in order of name.

    ways: by name, for each row the slice that it is in, (N,) text, "" for none.
    macro_f1 is the mean over the labels that have a row in the slice: others would make small slices look bad. Null
    for a slice of fewer than FEWEST rows.
    """
    predicted, k = probabilities.argmax(axis=1), probabilities.shape[1]
    return {way: _by_slice(np.asarray(names), predicted, truth, k) for way, names in ways.items()}


def _by_slice(names: NDArray[Any], predicted: Ints, truth: Ints, k: int) -> list[dict[str, Any]]:
    found, counts = np.unique(names[names != ""], return_counts=True)
    kept = sorted(found[np.argsort(-counts, kind="stable")][:MOST_SLICES].tolist(), key=_order)
    rows = [_slice(name, names == name, predicted, truth, k) for name in kept]
    if len(found) > len(kept):
        rest = ~np.isin(names, kept) & (names != "")
        rows.append(_slice(f"{len(found) - len(kept)} others", rest, predicted, truth, k))
    return rows


def _slice(name: str, mask: NDArray[np.bool_], predicted: Ints, truth: Ints, k: int) -> dict[str, Any]:
    n, figures = int(mask.sum()), ("accuracy", "macro_f1", "low", "high", "intervals")
    if n < FEWEST:
        return {"slice": name, "n": n, **dict.fromkeys(figures)}
    confusion = confusion_matrix(predicted[mask], truth[mask], k)
    there = confusion.sum(axis=1) > 0
    value, spread = confusion_figures(confusion[None]), resampled_figures(confusion)
    accuracy = interval(value["accuracy"][0], spread["accuracy"])
    macro_f1 = interval(value["class_f1"][0, there].mean(), spread["class_f1"][:, there].mean(axis=1))
    both = {"accuracy": accuracy, "macro_f1": macro_f1}
    values = (accuracy["value"], macro_f1["value"], macro_f1["low"], macro_f1["high"], both)
    return {"slice": name, "n": n, **dict(zip(figures, values, strict=True))}


def _order(name: str) -> tuple[int, str]:
    """Lengths stand in their order, all else by name."""
    first = name.partition(" ")[0]
    return (int(first), name) if first.isdigit() and name.endswith("characters") else (0, name)


def by_length(texts: Sequence[str]) -> list[str]:
    """Each text's quarter by length: "1 to 18 characters" and so on."""
    lengths = np.array([len(text) for text in texts])
    edges = sorted({int(edge) for edge in np.percentile(lengths, QUARTERS, method="lower")} - {int(lengths.max())})
    lows = [int(lengths.min()), *(edge + 1 for edge in edges)]
    names = [f"{low} to {high} characters" for low, high in zip(lows, [*edges, int(lengths.max())], strict=True)]
    return [names[i] for i in np.searchsorted(edges, lengths, side="left")]
