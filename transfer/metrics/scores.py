"""Metrics of probabilities against true labels, and which direction of each is better."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.cohen_kappa import cohen_kappa
from transfer.metrics.probabilities import log_losses

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
MetricName = Literal["accuracy", "macro_f1", "weighted_f1", "log_loss"]
Statistic = Literal["macro_f1", "accuracy", "kappa"]  # of hard labels
DIRECTIONS: dict[MetricName, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "macro_f1": "maximize",
    "weighted_f1": "maximize",
    "log_loss": "minimize",
}


@dataclass(frozen=True)
class Scores:
    """The metrics of a classifier on N labelled texts with K labels.

    All figures lie in [0, 1] but log_loss (nats, at least 0). A label without a true or a predicted row counts
    0 in the averages over labels. confusion: (K, K) counts, rows true, columns predicted.
    per_class: for each label precision, recall, f1, accuracy (one against the rest) and support (true rows).
    """

    n: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    macro_precision: float
    macro_recall: float
    weighted_precision: float
    weighted_recall: float
    log_loss: float
    labels: tuple[str, ...]
    per_class: dict[str, dict[str, float]]
    confusion: tuple[tuple[int, ...], ...]

    def value(self, metric: MetricName) -> float:
        return float(getattr(self, metric))

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"labels": list(self.labels), "confusion": [list(row) for row in self.confusion]}


def score(probabilities: Floats, truth: Ints, labels: Sequence[str]) -> Scores:
    """Scores of `probabilities` against `truth`.

    probabilities: (N, K), rows sum to 1; the label predicted is the first of the largest. truth: (N,) in [0, K).
    Raises ValueError where N is 0 or the shapes do not fit.
    Log loss is the mean of -log p(true label), p clipped to 1e-12.
    """
    if len(truth) == 0 or probabilities.shape != (len(truth), len(labels)):
        raise ValueError(f"{probabilities.shape} probabilities for {len(truth)} rows and {len(labels)} labels")
    from sklearn.metrics import precision_recall_fscore_support

    predicted = probabilities.argmax(axis=1)
    every = np.arange(len(labels))
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=every, zero_division=0.0)
    share = support / support.sum()
    return Scores(
        n=len(truth),
        accuracy=float(np.mean(predicted == truth)),
        macro_f1=float(f1.mean()),
        weighted_f1=float(f1 @ share),
        macro_precision=float(precision.mean()),
        macro_recall=float(recall.mean()),
        weighted_precision=float(precision @ share),
        weighted_recall=float(recall @ share),
        log_loss=float(log_losses(probabilities, truth).mean()),
        labels=tuple(labels),
        per_class={
            label: {
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "f1": float(f1[k]),
                "accuracy": float(np.mean((predicted == k) == (truth == k))),
                "support": int(support[k]),
            }
            for k, label in enumerate(labels)
        },
        confusion=tuple(map(tuple, confusion_of(probabilities, truth).tolist())),
    )


def confusion_of(probabilities: Floats, truth: Ints) -> Ints:
    """(K, K) counts, rows true, columns predicted. probabilities: (N, K); the label predicted is the first of the
    largest. truth: (N,) in [0, K)."""
    return confusion_matrix(probabilities.argmax(axis=1), truth, probabilities.shape[1]).astype(np.int64)


def confusion_matrix(predicted: Ints, truth: Ints, k: int, weights: Floats | None = None) -> NDArray[np.float64]:
    """(K, K) sums of weights, or counts; rows true, columns predicted. predicted, truth: (N,) in [0, k)."""
    return np.bincount(truth * k + predicted, weights, k * k).reshape(k, k).astype(np.float64)


def metric_value(metric: MetricName, probabilities: Floats, truth: Ints) -> float:
    """One figure as `score` gives it, in a hundredth of its time, for thousands of calls."""
    if metric == "log_loss":
        return float(log_losses(probabilities, truth).mean())
    confusion = confusion_matrix(probabilities.argmax(axis=1), truth, probabilities.shape[1])
    if metric == "weighted_f1":
        return float(_f1(confusion) @ confusion.sum(axis=1) / len(truth))
    return STATISTICS[metric](confusion)


def squared_errors(probabilities: Floats, truth: Ints) -> NDArray[np.float64]:
    """(N,) each row's Brier score, in [0, 2]: Σ_k (p_k − y_k)². Brier, Verification of Forecasts (1950)."""
    off = probabilities.astype(np.float64)
    off[np.arange(len(truth)), truth] -= 1
    return np.asarray((off**2).sum(axis=1))


def macro_f1_of(confusion: Floats) -> float:
    """Macro-F1 of a (K, K) confusion matrix; a label that is neither true nor predicted counts 0."""
    return float(_f1(confusion).mean())


def _f1(confusion: Floats) -> Floats:
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    return np.asarray(np.divide(2 * np.diag(confusion), both, out=np.zeros(len(confusion)), where=both > 0))


STATISTICS: Mapping[Statistic, Callable[[Floats], float]] = {
    "accuracy": lambda confusion: float(np.trace(confusion) / confusion.sum()),
    "macro_f1": macro_f1_of,
    "kappa": cohen_kappa,
}
