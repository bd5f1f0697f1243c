"""Whether one set of predictions is better than another on the same texts: a paired bootstrap of macro-F1."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from transfer.metrics.scores import macro_f1_of

Ints = NDArray[np.int64]
Verdict = Literal["better", "worse", "not shown"]
RESAMPLES = 2000


@dataclass(frozen=True)
class Difference:
    """A difference of macro-F1 with its 95 % percentile interval; `verdict` on the first as against the second."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """ "better" or "worse" only where the whole interval lies on one side of 0."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "not shown"

    def as_dict(self) -> dict[str, object]:
        """`difference`, `low`, `high` and `verdict`."""
        told = asdict(self)
        return {"difference": told.pop("value"), **told, "verdict": self.verdict}


def paired_difference(
    first: Sequence[Ints], second: Sequence[Ints], truth: Ints, n_labels: int, *, seed: int, resamples: int = RESAMPLES
) -> Difference:
    """Mean macro-F1 of the first's runs less that of the second's, on the same resampled rows.

    first, second: predictions (N,) of each run; where there are several runs, as many of both, and run i of both
    shares what is random: runs are drawn again too, in pairs. truth: (N,) in [0, n_labels). A text that both get right
    says nothing, so that the interval is much shorter than those of the two figures.
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 10.3; Koehn, Statistical Significance Tests
    for Machine Translation Evaluation (2004), section 4.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} runs are no pairs with {len(second)}")
    rng = np.random.default_rng(seed)
    drawn = [_drawn(rng, len(truth), len(first)) for _ in range(resamples)]
    values = [mean_macro_f1(first, truth, n_labels, *d) - mean_macro_f1(second, truth, n_labels, *d) for d in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    whole = mean_macro_f1(first, truth, n_labels) - mean_macro_f1(second, truth, n_labels)
    return Difference(whole, float(low), float(high))


def mean_interval(
    runs: Sequence[Ints], truth: Ints, n_labels: int, *, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float, float]:
    """Mean macro-F1 of several runs' predictions (N,) with its 95 % interval: (mean, low, high).

    Rows and runs are both drawn again, so that it holds the uncertainty of the sample and of the seeds. Few runs know
    little of how they scatter: with three the part of the seeds is too short by a factor of up to √(2/3).
    """
    rng = np.random.default_rng(seed)
    values = [mean_macro_f1(runs, truth, n_labels, *_drawn(rng, len(truth), len(runs))) for _ in range(resamples)]
    low, high = np.percentile(values, [2.5, 97.5])
    return mean_macro_f1(runs, truth, n_labels), float(low), float(high)


def mean_macro_f1(
    runs: Sequence[Ints], truth: Ints, n_labels: int, rows: Ints | None = None, which: Ints | None = None
) -> float:
    """Mean over the runs, or those of `which`, of macro-F1 on all rows or on `rows`; a label nobody gives counts 0."""
    rows = np.arange(len(truth)) if rows is None else rows
    chosen, often = np.unique(np.arange(len(runs)) if which is None else which, return_counts=True)
    values = [_macro_f1(runs[int(i)][rows], truth[rows], n_labels) for i in chosen]
    return float(np.average(values, weights=often))


def _drawn(rng: np.random.Generator, rows: int, runs: int) -> tuple[Ints, Ints]:
    return rng.integers(0, rows, size=rows), rng.integers(0, runs, size=runs)


def _macro_f1(predicted: Ints, truth: Ints, n_labels: int) -> float:
    cells = np.bincount(truth * n_labels + predicted, minlength=n_labels**2).astype(np.float64)
    return macro_f1_of(cells.reshape(n_labels, n_labels))
